// Times every way to compute each convolution of the benchmark networks, and marks the one that the backend chooses:
// the measurements behind engine/cpu/conv_algorithm.cpp. Prints the table of docs/cpu-convolution.md.
//
//   bench_convolution [--threads N] [--dtype f32|bf16] [--network WORD] [--seconds S]
//
// Time is the smallest over all repetitions of the processor time of all threads, divided by their number: other
// programs on the machine disturb it less than wall time. Run with OMP_WAIT_POLICY=passive, else waiting counts as
// work.

#include <fmt/core.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "bench/convolution/layers.h"
#include "engine/base/error.h"
#include "engine/cpu/conv_plan.h"

namespace graft::bench {
namespace {

constexpr std::array kAlgorithms = {ConvAlgorithm::direct, ConvAlgorithm::blocked, ConvAlgorithm::onednn_winograd,
                                    ConvAlgorithm::winograd_tiles, ConvAlgorithm::winograd_channels};
constexpr std::array kKinds = {ConvKind::forward, ConvKind::backward_data, ConvKind::backward_weights};

struct Settings {
  int threads = 0;  ///< 0: as the network is trained
  DType dtype = DType::f32;
  std::string network;
  double seconds = 0.2;
};

struct Freer {
  void operator()(void* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<void, Freer>;

/// `bytes` of zeros, every page touched.
Buffer buffer(std::size_t bytes) {
  const std::size_t rounded = (bytes + 4095) / 4096 * 4096 + 4096;
  Buffer result(std::aligned_alloc(4096, rounded));
  check(result != nullptr, "no memory for {} bytes", rounded);
  std::fill_n(static_cast<char*>(result.get()), rounded, '\0');
  return result;
}

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

ConvProblem problem_of(const Layer& layer, ConvKind kind, DType dtype) {
  ConvProblem problem;
  problem.kind = kind;
  problem.dtype = dtype;
  problem.x = {layer.batch, layer.size, layer.size, layer.in_channels};
  problem.w = {layer.out_channels, layer.kernel, layer.kernel, layer.in_channels};
  problem.options.window = {.stride = {layer.stride, layer.stride}, .padding = Padding2d::same(layer.padding)};
  problem.y = conv2d_output_shape(problem.x, problem.w, problem.options);
  problem.options.relu = layer.bias && kind == ConvKind::forward;
  problem.bias = layer.bias && kind != ConvKind::backward_data;
  return problem;
}

/// Seconds of each algorithm, 0 where it does not cover the problem. All take turns, so that they meet the same
/// disturbances.
std::array<double, kAlgorithms.size()> measure(const OnednnContext& context, const ConvProblem& problem,
                                               const Settings& settings) {
  std::array<std::unique_ptr<Plan>, kAlgorithms.size()> plans;
  std::array<double, kAlgorithms.size()> best{};
  std::size_t scratch_bytes = 0;
  int count = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    plans[i] = make_conv_plan(context, problem, kAlgorithms[i]);
    if (plans[i] == nullptr) continue;
    scratch_bytes = std::max(scratch_bytes, plans[i]->scratch_bytes());
    best[i] = 1e9;
    ++count;
  }
  const auto elements = std::max({problem.x.numel(), problem.w.numel(), problem.y.numel()});
  const auto bytes = static_cast<std::size_t>(elements) * sizeof(float);
  const Buffer source = buffer(bytes), weights = buffer(bytes), bias = buffer(bytes), result = buffer(bytes);
  const Buffer scratch = buffer(scratch_bytes);
  const PlanPointers pointers{source.get(), weights.get(), problem.bias ? bias.get() : nullptr, result.get()};
  const double start = processor_seconds();
  const int threads = omp_get_max_threads();
  for (int round = 0; round < 3 || processor_seconds() - start < settings.seconds * count * threads; ++round) {
    for (std::size_t i = 0; i < plans.size(); ++i) {
      if (plans[i] == nullptr) continue;
      const double before = processor_seconds();
      plans[i]->run(pointers, scratch.get());
      best[i] = std::min(best[i], (processor_seconds() - before) / threads);
    }
  }
  return best;
}

void print_network(const Network& network, const Settings& settings) {
  const int all = settings.threads > 0 ? settings.threads : omp_get_num_procs();
  omp_set_num_threads(network.threads > 0 ? network.threads : all);
  const OnednnContext context;
  std::array<double, kKinds.size()> direct{}, chosen_total{};
  fmt::print("\n### {}, {}, threads: {}\n\n", network.name, name_of(settings.dtype), omp_get_max_threads());
  fmt::print(
      "| layer | shape | pass | direct | blocked | oneDNN Winograd | by tiles | by channels | nominal GFLOP/s |\n");
  fmt::print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  for (const Layer& layer : network.layers) {
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
      if (layer.first && kKinds[kind] == ConvKind::backward_data) continue;
      const ConvProblem problem = problem_of(layer, kKinds[kind], settings.dtype);
      const ConvAlgorithm chosen = choose_conv_algorithm(problem);
      const auto seconds = measure(context, problem, settings);
      constexpr const char* kNames[] = {"forward", "data", "weights"};
      fmt::print("| {} x{} | {}x{} {}->{} k{} s{} | {} |", layer.name, layer.count, layer.size, layer.size,
                 layer.in_channels, layer.out_channels, layer.kernel, layer.stride, kNames[kind]);
      double time = seconds[0];
      for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
        const bool taken = kAlgorithms[i] == chosen && seconds[i] > 0.0;
        if (taken) time = seconds[i];
        const std::string mark = taken ? "**" : "";
        fmt::print(" {} |", seconds[i] > 0.0 ? fmt::format("{}{:.2f}{}", mark, seconds[i] * 1e3, mark) : "");
      }
      fmt::print(" {:.0f} |\n", problem.flops() / time * 1e-9);
      std::fflush(stdout);
      direct[kind] += layer.count * seconds[0] * 1e3;
      chosen_total[kind] += layer.count * time * 1e3;
    }
  }
  fmt::print(
      "\nAll layers, forward + data + weights: direct {:.1f} + {:.1f} + {:.1f} ms, chosen {:.1f} + {:.1f} + {:.1f} "
      "ms.\n",
      direct[0], direct[1], direct[2], chosen_total[0], chosen_total[1], chosen_total[2]);
}

Settings settings_of(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (i + 1 == argc) fail(ErrorKind::usage, "{} wants a value", flag);
    const std::string value = argv[i + 1];
    if (flag == "--threads") {
      settings.threads = std::stoi(value);
    } else if (flag == "--dtype") {
      settings.dtype = dtype_from_name(value);
    } else if (flag == "--network") {
      settings.network = value;
    } else if (flag == "--seconds") {
      settings.seconds = std::stod(value);
    } else {
      fail(ErrorKind::usage, "{}: the flags are --threads, --dtype, --network and --seconds", flag);
    }
  }
  return settings;
}

}  // namespace
}  // namespace graft::bench

int main(int argc, char** argv) {
  try {
    const auto settings = graft::bench::settings_of(argc, argv);
    for (const auto& network : graft::bench::benchmark_networks()) {
      if (network.name.find(settings.network) != std::string::npos) graft::bench::print_network(network, settings);
    }
    return 0;
  } catch (const graft::Error& error) {
    fmt::print(stderr, "bench_convolution: {}\n", error.what());
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_convolution: {}\n", error.what());
    return 1;
  }
}
