#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "engine/backend/backend.h"
#include "engine/io/checkpoint.h"
#include "models/backbone.h"
#include "tools/device_flags.h"

namespace graft {

/// A network with a checkpoint that runs on image files: flags that predict and features share.
struct NetworkFileFlags {
  std::string model;
  std::string pretrained;
  std::uint64_t max_bytes = CheckpointOptions{}.max_bytes;
  std::int64_t num_classes = 0;  ///< 0: as many as the checkpoint's head has
  std::int64_t batch_size = 32;
  std::string amp = "none";
  int workers = 1;
  int threads = 0;
  DeviceFlags device;
};
void add_network_file_flags(CLI::App& command, NetworkFileFlags& flags);

/// Throws Error(usage) where the device cannot compute what --amp asks for.
std::unique_ptr<Backend> make_network_backend(const NetworkFileFlags& flags);

/// Metadata of weights that were trained by binary cross-entropy.
inline constexpr const char* kActivation = "activation";
inline constexpr const char* kSigmoid = "sigmoid";

struct LoadedNetwork {
  std::shared_ptr<Backbone> network;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;  ///< as the checkpoint's metadata has them; may be empty
  bool multi_label = false;              ///< a sigmoid for each class, by the model or by what the checkpoint says
};
/// The network for images of `size` x `size` x 3 with the checkpoint's weights. Throws Error(data) if they do not fit.
LoadedNetwork load_network(const NetworkFileFlags& flags, Backend& backend, std::int64_t size);

/// The number of stages up to and with the one that `flag` names. Throws Error(usage) listing the stages.
int stages_until(const Backbone& network, const std::string& flag, const std::string& stage);

/// Runs `network` on the image files in batches, without a tape, and hands each file's name and row of the result, as
/// f32, to `take`, in order.
void for_each_output(const NetworkFileFlags& flags, const std::vector<std::string>& images,
                     const ImageTransform& transform, const ImageLimits& limits, Backend& backend,
                     const std::function<Tensor(const Tensor&)>& network,
                     const std::function<void(const std::string&, const std::vector<float>&)>& take);

}  // namespace graft
