#include "bench/convolution/layers.h"

namespace graft::bench {
namespace {

/// CIFAR ResNet-20 with option A shortcuts (He et al. 2016).
Network resnet20() {
  const std::int64_t n = 128;
  return {"resnet20 b128 32",
          0,
          {{"conv1", 1, n, 32, 3, 16, 3, 1, 1, true},
           {"layer1", 6, n, 32, 16, 16, 3, 1, 1},
           {"layer2.0", 1, n, 32, 16, 32, 3, 2, 1},
           {"layer2", 5, n, 16, 32, 32, 3, 1, 1},
           {"layer3.0", 1, n, 16, 32, 64, 3, 2, 1},
           {"layer3", 5, n, 8, 64, 64, 3, 1, 1}}};
}

/// The residual stages of ResNet-18 behind a stem that left `size` pixels a side.
void add_resnet18_stages(Network& network, std::int64_t n, std::int64_t size) {
  network.layers.push_back({"layer1", 4, n, size, 64, 64, 3, 1, 1});
  std::int64_t channels = 64;
  for (int stage = 2; stage <= 4; ++stage) {
    const std::string name = "layer" + std::to_string(stage);
    network.layers.push_back({name + ".0.conv1", 1, n, size, channels, 2 * channels, 3, 2, 1});
    network.layers.push_back({name + ".0.downsample", 1, n, size, channels, 2 * channels, 1, 2, 0});
    size /= 2;
    channels *= 2;
    network.layers.push_back({name, 3, n, size, channels, channels, 3, 1, 1});
  }
}

Network resnet18_small() {
  Network network{"resnet18 b64 32 (3x3 stem)", 0, {{"conv1", 1, 64, 32, 3, 64, 3, 1, 1, true}}};
  add_resnet18_stages(network, 64, 32);
  return network;
}

Network resnet18() {
  Network network{"resnet18 b16 224", 0, {{"conv1", 1, 16, 224, 3, 64, 7, 2, 3, true}}};
  add_resnet18_stages(network, 16, 56);
  return network;
}

/// ResNet-50 v1.5: the stride is in the 3x3 convolution.
Network resnet50() {
  const std::int64_t n = 16;
  Network network{"resnet50 b16 224", 0, {{"conv1", 1, n, 224, 3, 64, 7, 2, 3, true}}};
  const int blocks[] = {3, 4, 6, 3};
  std::int64_t size = 56;
  std::int64_t in = 64;
  std::int64_t width = 64;
  for (int stage = 0; stage < 4; ++stage, width *= 2) {
    const std::string name = "layer" + std::to_string(stage + 1);
    const std::int64_t stride = stage == 0 ? 1 : 2;
    network.layers.push_back({name + ".0.conv1", 1, n, size, in, width, 1, 1, 0});
    network.layers.push_back({name + ".0.conv2", 1, n, size, width, width, 3, stride, 1});
    network.layers.push_back({name + ".0.downsample", 1, n, size, in, 4 * width, 1, stride, 0});
    size /= stride;
    in = 4 * width;
    network.layers.push_back({name + ".conv1", blocks[stage] - 1, n, size, in, width, 1, 1, 0});
    network.layers.push_back({name + ".conv2", blocks[stage] - 1, n, size, width, width, 3, 1, 1});
    network.layers.push_back({name + ".conv3", blocks[stage], n, size, width, in, 1, 1, 0});
  }
  return network;
}

/// The demo's network, one thread a run.
Network convnet6() {
  const std::int64_t n = 64;
  return {"convnet6 b64 28",
          1,
          {{"conv1", 1, n, 28, 1, 16, 3, 1, 1, true, true},
           {"conv2", 1, n, 14, 16, 32, 3, 1, 1, false, true},
           {"conv3", 1, n, 14, 32, 32, 3, 1, 1, false, true},
           {"conv4", 1, n, 7, 32, 64, 3, 1, 1, false, true},
           {"conv5", 1, n, 7, 64, 64, 3, 1, 1, false, true}}};
}

}  // namespace

std::vector<Network> benchmark_networks() { return {resnet20(), resnet18_small(), resnet18(), resnet50(), convnet6()}; }

}  // namespace graft::bench
