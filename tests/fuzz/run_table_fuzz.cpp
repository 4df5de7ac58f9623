// The reader of tables of runs on any text, and the statistics on what it lets pass.
#include <string>

#include "engine/base/error.h"
#include "tests/fuzz/fuzz_target.h"
#include "transfer/contrast.h"
#include "transfer/contrast_text.h"
#include "transfer/run_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto table = graft::parse_run_table(std::string(reinterpret_cast<const char*>(data), size), "fuzz.csv");
    const graft::ContrastOptions options{.rule = {.level = 0.95, .margin = 0.01}, .resamples = 99};
    const auto observations = table.observations();
    const auto contrasts = graft::contrasts_of(observations, options);
    graft::fuzz::require(!graft::contrasts_text(observations, contrasts, options.rule).empty(), "no text");
  } catch (const graft::Error& error) {
    graft::fuzz::require(error.kind() == graft::ErrorKind::data, error.what());
    graft::fuzz::require(std::string(error.what()).find('\n') == std::string::npos, "a message of several lines");
  }
  return 0;
}
