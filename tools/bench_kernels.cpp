#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "tools/command.h"
#include "tools/device_flags.h"
#include "tools/kernel_cases.h"
#include "tools/synthetic_step.h"

// `graft bench kernels`: each kernel at the layers of a network, beside the device's own ceilings.
namespace graft {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchKernelsFlags {
  KernelCaseOptions cases{.network = "resnet50", .batch = 256};
  std::string dtype = "bf16";
  std::string only;
  double seconds = 0.02;
  int threads = 0;
  DeviceFlags device;
  bool json = false;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Seconds of one call: the median of five measurements, each of as many calls as fill `least` seconds. Where the
/// backend can, the calls are one captured piece of work, so that the host's part of a call is not measured.
double seconds_of_call(Backend& backend, const std::function<void()>& call, double least) {
  const auto timed = [&](const std::function<void()>& work) {
    const Clock::time_point start = Clock::now();
    work();
    backend.synchronize();
    return seconds_since(start);
  };
  timed(call);  // code is loaded, "auto" has chosen
  const double once = timed(call);
  const int calls = std::clamp(static_cast<int>(least / std::max(once, 1e-7)), 1, 1000);
  std::function<void()> work = [&] {
    for (int i = 0; i < calls; ++i) call();
  };
  std::unique_ptr<CapturedWork> captured;
  if (backend.can_capture()) {
    captured = backend.capture(work);
    work = [&] { captured->replay(); };
    timed(work);
  }
  std::vector<double> all(5);
  std::generate(all.begin(), all.end(), [&] { return timed(work) / calls; });
  return median(all);
}

/// A row of the table, printed as soon as it is known: what was measured is not lost if a later case fails.
class Table {
 public:
  Table(Backend& backend, const BenchKernelsFlags& flags) : backend_(backend), flags_(flags) {}

  void ceilings(const std::vector<KernelCase>& cases) {
    for (const KernelCase& c : cases) {
      const double seconds = seconds_of_call(backend_, c.call, flags_.seconds);
      (c.bytes > 0.0 ? bytes_a_second_ : flops_a_second_) = (c.bytes > 0.0 ? c.bytes : c.flops) / seconds;
      print(c, "ceiling", seconds, 1.0);
    }
  }

  void measure(const KernelCase& c) {
    if (c.kernel.find(flags_.only) == std::string::npos) return;
    const double seconds = seconds_of_call(backend_, c.call, flags_.seconds);
    const double rate = (c.bytes > 0.0 ? c.bytes : c.flops) / seconds;
    print(c, flags_.cases.network, seconds, rate / (c.bytes > 0.0 ? bytes_a_second_ : flops_a_second_));
  }

 private:
  void print(const KernelCase& c, const std::string& network, double seconds, double share) const {
    const bool memory = c.bytes > 0.0;
    const double rate = (memory ? c.bytes * 1e-9 : c.flops * 1e-12) / seconds;
    const char* unit = memory ? "GB/s" : "TFLOP/s";
    if (flags_.json) {
      const nlohmann::ordered_json row{{"network", network},
                                       {"kernel", c.kernel},
                                       {"shape", c.shape},
                                       {"dtype", flags_.dtype},
                                       {"device", backend_.device_kind()},
                                       {"count", c.count},
                                       {"ms", seconds * 1e3},
                                       {"rate", rate},
                                       {"unit", unit},
                                       {"share", share}};
      fmt::print("{}\n", row.dump());
    } else {
      fmt::print("{:40} {:32} {:9.4f} ms {:8.1f} {:8} {:5.2f} of the ceiling\n", c.kernel, c.shape, seconds * 1e3, rate,
                 unit, share);
    }
    std::fflush(stdout);
  }

  Backend& backend_;
  const BenchKernelsFlags& flags_;
  double bytes_a_second_ = 0.0;
  double flops_a_second_ = 0.0;
};

int bench_kernels(const BenchKernelsFlags& flags) {
  const auto backend = backend_registry().make(flags.device.name, backend_options(flags.device, flags.threads));
  KernelCaseOptions cases = flags.cases;
  cases.dtype = flags.dtype == "bf16" ? DType::bf16 : DType::f32;
  if (!backend->supports(cases.dtype))
    fail(ErrorKind::usage, "--dtype {}: {} does not compute in it", flags.dtype, backend->device_kind());
  Table table(*backend, flags);
  table.ceilings(ceiling_cases(*backend, cases));
  for_each_kernel_case(*backend, cases, [&](const KernelCase& c) { table.measure(c); });
  return 0;
}

}  // namespace

void add_bench_kernels(CLI::App& bench, CommandContext& context) {
  CLI::App* command =
      bench.add_subcommand("kernels", "each kernel at a network's layers, beside the device's ceilings");
  auto flags = std::make_shared<BenchKernelsFlags>();
  command->add_option("--network", flags->cases.network, "resnet50 or resnet20")
      ->check(CLI::IsMember({"resnet50", "resnet20"}));
  command->add_option("--batch", flags->cases.batch)->check(CLI::PositiveNumber);
  command->add_option("--dtype", flags->dtype)->check(CLI::IsMember({"f32", "bf16"}));
  command->add_option("--only", flags->only, "kernels whose name holds this");
  command->add_option("--seconds", flags->seconds, "of one measurement")->check(CLI::PositiveNumber);
  command->add_option("--shrink", flags->cases.shrink, "divides all extents, to try it out on a slow device")
      ->check(CLI::Range(1, 64));
  command->add_option("--threads", flags->threads, "0: all cores")->check(CLI::NonNegativeNumber);
  add_device_flags(*command, flags->device);
  command->add_flag("--json", flags->json, "print a JSON object a line");
  command->callback([&context, flags] { context.chosen = [flags] { return bench_kernels(*flags); }; });
}

}  // namespace graft
