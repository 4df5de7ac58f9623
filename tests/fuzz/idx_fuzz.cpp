// read_idx on any bytes, as images and as labels.
#include "datasets/idx.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const int rank : {1, 3}) {
    graft::fuzz::with_file(
        {data, size}, [rank](const std::filesystem::path& path) { graft::read_idx(path, rank, "fetch it again"); });
  }
  return 0;
}
