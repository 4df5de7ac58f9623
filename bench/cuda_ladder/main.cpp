// bench_cuda_ladder: what each step of the ladders (cuda/ladder) takes on the GPU, and what it gains over the one
// before.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "cuda/ladder/measure.h"
#include "engine/base/error.h"

namespace graft {
namespace {

class Table {
 public:
  explicit Table(bool json) : json_(json) {}

  void add(const LadderTime& time) {
    // Not where a step changes the dtype: it computes something else then.
    const bool next = time.ladder == previous_.ladder && time.dtype == previous_.dtype;
    const double gain = next ? previous_.milliseconds / time.milliseconds : 0.0;
    const bool memory = time.bytes > 0.0;
    const double rate = (memory ? time.bytes * 1e-9 : time.flops * 1e-12) / (time.milliseconds * 1e-3);
    const char* unit = memory ? "GB/s" : "TFLOP/s";
    if (json_) {
      nlohmann::ordered_json row{{"ladder", time.ladder}, {"step", time.step},     {"shape", time.shape},
                                 {"dtype", time.dtype},   {"device", time.device}, {"ms", time.milliseconds},
                                 {"rate", rate},          {"unit", unit},          {"gain", nullptr}};
      if (next) row["gain"] = gain;
      fmt::print("{}\n", row.dump());
    } else {
      fmt::print("{:14} {:16} {:20} {:5} {:10.4f} ms {:9.2f} {:8}", time.ladder, time.step, time.shape, time.dtype,
                 time.milliseconds, rate, unit);
      fmt::print("{}\n", next ? fmt::format("{:6.2f} times the step before", gain) : "");
    }
    std::fflush(stdout);
    previous_ = time;
  }

 private:
  bool json_;
  LadderTime previous_;
};

void run(const std::string& device, int shrink, bool json) {
  Table table(json);
  const auto report = [&](const LadderTime& time) { table.add(time); };
  if (device == "cuda-emulated") return time_cuda_emulated_ladders(shrink, report);
#ifdef GRAFT_WITH_CUDA
  time_cuda_ladders(shrink, report);
#else
  fail(ErrorKind::usage, "--device {}: this build is without CUDA; use --device cuda-emulated", device);
#endif
}

}  // namespace
}  // namespace graft

int main(int argc, char** argv) {
  CLI::App app("each step of the kernels' ladders", "bench_cuda_ladder");
  std::string device = "cuda";
  int shrink = 1;
  bool json = false;
  app.add_option("--device", device)->check(CLI::IsMember({"cuda", "cuda-emulated"}));
  app.add_option("--shrink", shrink, "divides extents")->check(CLI::Range(1, 32));
  app.add_flag("--json", json, "print a JSON object a line");
  CLI11_PARSE(app, argc, argv);
  try {
    graft::run(device, shrink, json);
  } catch (const graft::Error& error) {
    fmt::print(stderr, "graft: {}\n", error.what());
    return static_cast<int>(error.kind());
  }
  return 0;
}
