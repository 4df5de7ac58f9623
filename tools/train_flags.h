#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "datasets/dataset.h"
#include "engine/io/checkpoint.h"
#include "models/backbone.h"
#include "tools/augment_flags.h"
#include "tools/device_flags.h"
#include "tools/image_flags.h"
#include "transfer/study.h"

namespace graft {

/// Which network on which images: flags that train and eval share.
struct NetworkFlags {
  std::string model;
  std::string dataset = "fashion-mnist";
  std::string data_dir;
  std::uint64_t max_bytes = CheckpointOptions{}.max_bytes;  ///< of checkpoints and .npz data
  LabelFiles labels{};
  std::string loss;              ///< "cross-entropy" or "bce"; empty: as model and data set want
  std::int64_t num_classes = 0;  ///< 0: the data set's
  std::int64_t batch_size = 64;
  std::string amp = "none";
  int workers = 1;  ///< loader threads
  int threads = 0;  ///< of the backend; 0: all cores
  DeviceFlags device;
  ImageFlags image;
};
void add_network_flags(CLI::App& command, NetworkFlags& flags);

struct TrainFlags {
  NetworkFlags network;
  TrainingSettings training;
  AugmentFlags augment;
  double dropout = 0.0;
  double drop_path = 0.0;
  double warmup_epochs = 0.0;
  std::uint64_t seed = 0;
  std::string freeze_until;  ///< a stage's name; empty: none
  std::string bn_policy = "eval";
  std::string pretrained;
  std::string output;
  bool resume = false;
};
void add_train_flags(CLI::App& command, TrainFlags& flags);

/// The opened data set with a network for it, without values.
struct NetworkAndData {
  DatasetPair data;
  std::shared_ptr<Backbone> network;
  bool binary_loss = false;  ///< binary cross-entropy of every class: multi-label data and models, or --loss bce
  bool transformed = false;  ///< images go through the model's transform
};
/// What training drops at random.
struct DropRates {
  double dropout = 0.0;
  double drop_path = 0.0;
};
/// Throws Error(usage) if the model is missing, has fewer classes than the data, or cannot do what is asked of it.
NetworkAndData open_network(const NetworkFlags& flags, Backend& backend, const DropRates& rates = {});

/// args.yaml: every flag of `command` but --resume and --output, one "name: value" a line, values as given, as in
/// `used` or by default.
std::string arguments_yaml(const CLI::App& command, const std::map<std::string, std::string>& used);

/// Gives flags that were not on the command line their values of `file` (an args.yaml). Throws Error(usage) naming the
/// first flag that was given with another value than the file has, unless it cannot change a result (--data-dir,
/// --workers), and Error(data) if the file is none of these or a value is none of its flag.
void restore_arguments(CLI::App& command, const std::filesystem::path& file);

}  // namespace graft
