// The reader of study files on any text.
#include <string>

#include "engine/base/error.h"
#include "tests/fuzz/fuzz_target.h"
#include "transfer/study.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    graft::parse_study(std::string(reinterpret_cast<const char*>(data), size), "fuzz.yaml");
  } catch (const graft::Error& error) {
    const bool expected = error.kind() == graft::ErrorKind::data || error.kind() == graft::ErrorKind::usage;
    graft::fuzz::require(expected, error.what());
    graft::fuzz::require(std::string(error.what()).find('\n') == std::string::npos, "a message of several lines");
  }
  return 0;
}
