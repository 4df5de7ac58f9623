#include "tools/device_flags.h"

#include "engine/base/error.h"
#include "transfer/record.h"

namespace graft {

void add_device_flags(CLI::App& command, DeviceFlags& flags) {
  command.add_option("--device", flags.name, "a name of graft devices");
  command.add_option("--conv", flags.conv, "convolutions on CUDA: native, cudnn, or auto: the faster, measured")
      ->check(CLI::IsMember({"native", "cudnn", "auto"}));
  command.add_option("--gemm", flags.gemm, "matrix products on CUDA: native, cublas, or auto: the faster, measured")
      ->check(CLI::IsMember({"native", "cublas", "auto"}));
  command.add_option("--choices", flags.choices, "a results folder whose choices auto repeats instead of measuring");
  command.add_flag("--tf32", flags.tf32, "let f32 products on CUDA round their factors to tf32");
  command.add_flag("--no-graph", flags.no_graph, "call every kernel of a step instead of replaying a CUDA graph");
}

BackendOptions backend_options(const DeviceFlags& flags, int threads) {
  BackendOptions options{
      .threads = threads, .conv = flags.conv, .gemm = flags.gemm, .tf32 = flags.tf32, .graph = !flags.no_graph};
  if (flags.choices.empty()) return options;
  for (const RunResult& result : read_results(flags.choices)) {
    options.choices.insert(result.choices.begin(), result.choices.end());
  }
  if (options.choices.empty()) {
    fail(ErrorKind::data, "--choices {}: its results.jsonl holds no choices: give the folder of a study run with auto",
         flags.choices);
  }
  return options;
}

}  // namespace graft
