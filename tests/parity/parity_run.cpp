// graft's side of the comparison with PyTorch: loads a network, runs it stage by stage and through one training step,
// and writes every number that models.py compares, under public names and in public layouts.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/io/checkpoint.h"
#include "engine/io/element_convert.h"
#include "engine/io/safetensors.h"
#include "engine/io/safetensors_file.h"
#include "engine/nn/state.h"
#include "engine/ops/sigmoid_cross_entropy.h"
#include "engine/ops/softmax_cross_entropy.h"
#include "engine/reference/reference_backend.h"
#include "models/backbone.h"
#include "models/pretrained.h"

namespace graft {
namespace {

struct Options {
  std::string model;
  std::vector<std::filesystem::path> weights;  ///< of any format, the same numbers in each
  std::filesystem::path input;                 ///< "input" f32 [N, C, H, W] and "labels", i64 [N] or f32 [N, classes]
  std::filesystem::path out;
  std::filesystem::path exported;  ///< where the loaded network is saved again; may be empty
  std::string device = "cpu";      ///< or "reference", in f64
  int threads = 1;
  std::int64_t classes = 1000;
};

/// What is written, in the order of computing.
class Recorder {
 public:
  void add(const std::string& name, const Tensor& value) { variables_.push_back({name, Variable(value)}); }
  /// An output of a stage: images [N, H, W, C] are written as [N, C, H, W].
  void add_output(const std::string& name, const Tensor& value) {
    if (value.rank() != 4) return add(name, value);
    const Shape& shape = value.shape();
    std::vector<std::byte> bytes(value.nbytes());
    std::vector<std::byte> turned(value.nbytes());
    value.backend().copy_to_host(value, bytes.data());
    ohwi_to_oihw(bytes, shape, size_of(value.dtype()), turned);
    const Tensor nchw = value.backend().empty({shape[0], shape[3], shape[1], shape[2]}, value.dtype());
    value.backend().copy_from_host(turned.data(), nchw);
    add(name, nchw);
  }
  void save(const std::filesystem::path& path) const { save_state(path, variables_); }

 private:
  std::vector<NamedVariable> variables_;
};

const SafetensorsEntry& entry_of(const SafetensorsFile& file, const std::string& name) {
  const SafetensorsEntry* entry = file.find(name);
  if (entry == nullptr || !entry->known) fail(ErrorKind::data, "{}: has no tensor '{}'", file.path().string(), name);
  return *entry;
}

/// A tensor of the file as it is there, converted to `dtype`.
Tensor read_tensor(Backend& backend, const SafetensorsFile& file, const std::string& name, const Shape& shape,
                   DType dtype) {
  const SafetensorsEntry& entry = entry_of(file, name);
  const Tensor tensor = backend.empty(shape, dtype);
  std::vector<std::byte> bytes(tensor.nbytes());
  convert_elements(file.bytes(entry), *entry.known, bytes, dtype);
  backend.copy_from_host(bytes.data(), tensor);
  return tensor;
}

Tensor read_images(Backend& backend, const SafetensorsFile& file, DType dtype) {
  const std::vector<std::int64_t>& dims = entry_of(file, "input").shape;
  check(dims.size() == 4, "{}: 'input' is of rank {}, not 4", file.path().string(), dims.size());
  const Tensor nchw = read_tensor(backend, file, "input", {dims[0], dims[1], dims[2], dims[3]}, dtype);
  const Shape nhwc{dims[0], dims[2], dims[3], dims[1]};
  std::vector<std::byte> bytes(nchw.nbytes());
  std::vector<std::byte> turned(nchw.nbytes());
  backend.copy_to_host(nchw, bytes.data());
  oihw_to_ohwi(bytes, nhwc, size_of(dtype), turned);
  const Tensor images = backend.empty(nhwc, dtype);
  backend.copy_from_host(turned.data(), images);
  return images;
}

/// Loads the first file into `model`, and each other one into `again`, which must be the same bits.
void load(const Options& options, Backbone& model, Backbone& again) {
  for (const std::filesystem::path& path : options.weights) {
    const auto file = open_checkpoint(path);
    Backbone& network = path == options.weights.front() ? model : again;
    run_import(*file, plan_import(*file, network), network);
    if (hash_state(state_of(network)) != hash_state(state_of(model))) {
      fail(ErrorKind::failure, "{} and {} are not the same network", path.string(), options.weights.front().string());
    }
  }
}

/// Saves the network and loads the file into another one, which must be the same bits.
void round_trip(const Options& options, const Backbone& model, Backbone& again) {
  save_state(options.exported, state_of(model));
  load_state(options.exported, state_of(again));
  if (hash_state(state_of(model)) != hash_state(state_of(again))) {
    fail(ErrorKind::failure, "{}: the network read back is not the one that was written", options.exported.string());
  }
}

void evaluate(Backbone& model, const Variable& images, Recorder& recorder) {
  const NoGradScope no_grad;
  Variable y = images;
  for (int i = 0; i < model.stage_count(); ++i) {
    y = model.forward_stages(y, i, i + 1, {});
    recorder.add_output("stage/" + model.stages()[static_cast<std::size_t>(i)].name, y.value());
  }
  recorder.add_output("eval/logits", model.forward_head(y, {}).value());
}

Variable loss_of(Backend& backend, const SafetensorsFile& file, const Variable& logits) {
  const Shape& shape = logits.shape();
  if (entry_of(file, "labels").shape.size() == 2) {
    return sigmoid_cross_entropy(logits, read_tensor(backend, file, "labels", shape, logits.dtype()));
  }
  return softmax_cross_entropy(logits, read_tensor(backend, file, "labels", {shape[0]}, DType::i64), 0.0);
}

void train(Backbone& model, const Variable& images, const SafetensorsFile& file, Recorder& recorder) {
  Backend& backend = images.backend();
  const Tensor step = backend.empty({1}, DType::i64);
  backend.fill(0.0, step);
  const Variable logits = model.forward(images, {.training = true, .step = step});
  const Variable loss = loss_of(backend, file, logits);
  backward(loss);
  recorder.add("train/logits", logits.value());
  recorder.add("train/loss", loss.value());
  for (const NamedVariable& named : model.parameters()) recorder.add("gradient/" + named.name, named.variable.grad());
  for (const NamedVariable& named : model.buffers()) recorder.add("buffer/" + named.name, named.variable.value());
}

void run(const Options& options) {
  const bool reference = options.device == "reference";
  const auto backend = reference ? make_reference_backend({}) : make_cpu_backend({.threads = options.threads});
  const DType dtype = reference ? DType::f64 : DType::f32;
  const SafetensorsFile file(options.input);
  const Variable images(read_images(*backend, file, dtype));
  const Shape& shape = images.shape();
  BackboneOptions network = find_backbone(options.model).defaults;
  network.classes = options.classes;
  network.in_channels = shape[3];
  network.height = shape[1];
  network.width = shape[2];
  network.dropout = 0.0;  // its numbers are graft's own
  const auto make = [&] {
    auto model = make_backbone(options.model, *backend, network);
    if (dtype == DType::f64) model->convert(DType::f64);
    return model;
  };
  const auto model = make();
  {
    const auto again = make();
    load(options, *model, *again);
    if (!options.exported.empty()) round_trip(options, *model, *again);
  }
  Recorder recorder;
  evaluate(*model, images, recorder);
  train(*model, images, file, recorder);
  recorder.save(options.out);
}

}  // namespace
}  // namespace graft

int main(int argc, char** argv) {
  graft::Options options;
  CLI::App app{"graft's side of the comparison with PyTorch"};
  app.add_option("--model", options.model)->required();
  app.add_option("--weights", options.weights)->required();
  app.add_option("--input", options.input)->required();
  app.add_option("--out", options.out)->required();
  app.add_option("--export", options.exported);
  app.add_option("--device", options.device)->check(CLI::IsMember({"cpu", "reference"}));
  app.add_option("--threads", options.threads);
  app.add_option("--classes", options.classes);
  CLI11_PARSE(app, argc, argv);
  try {
    graft::run(options);
  } catch (const graft::Error& error) {
    fmt::print(stderr, "parity_run: {}\n", error.what());
    return static_cast<int>(error.kind());
  }
  return 0;
}
