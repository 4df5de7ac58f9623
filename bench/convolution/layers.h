#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace graft::bench {

/// A convolution of a benchmark network with square images and kernels, and how often the network has it.
struct Layer {
  std::string name;
  int count;
  std::int64_t batch, size, in_channels, out_channels, kernel, stride, padding;
  bool first = false;  ///< reads the images: nothing needs the gradient of its input
  bool bias = false;   ///< has a bias and a fused ReLU
};

struct Network {
  std::string name;
  int threads;  ///< 0: all cores
  std::vector<Layer> layers;
};

/// The benchmark networks of graft: their convolutions, equal ones counted.
std::vector<Network> benchmark_networks();

}  // namespace graft::bench
