#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/nn/module.h"
#include "engine/nn/sequential.h"

namespace graft {

/// Where a network can be cut. stages: the parts that its family is described in, such as a ResNet's layer2. blocks:
/// those of a stage that repeats one (a residual block, a dense layer, an inverted bottleneck) each for itself.
enum class CutPlaces { stages, blocks };
/// "stages" or "blocks".
const char* name_of(CutPlaces places);
/// Throws Error(usage) naming both.
CutPlaces cut_places_from_name(const std::string& name);

/// A backbone is a chain of named stages and a head. A cut n means: the first n stages are carried over.
/// Stage parameters keep their public names; the head is never carried over.
class Backbone : public Module {
 public:
  struct Stage {
    std::string name;  ///< "conv1", "layer2": the place after which the network can be cut
    std::shared_ptr<Module> module;
    std::string prefix;  ///< the prefix of its parameters' names: "" for a stem that spans several
  };

  const std::vector<Stage>& stages() const { return stages_; }
  int stage_count() const { return static_cast<int>(stages_.size()); }
  /// Makes every block a stage of its own, under its public name ("layer2.1"). Parameters, their order and what forward
  /// computes stay as they are.
  void divide_into_blocks();

  /// Runs stages [first, last) only.
  Variable forward_stages(const Variable& x, int first, int last, const ForwardContext& context);
  /// Pools, flattens and classifies what the last stage gave: [N, classes].
  virtual Variable forward_head(const Variable& x, const ForwardContext& context) = 0;
  Variable forward(const Variable& x, const ForwardContext& context) override;
  /// Runs stages [first, stage_count()) and the head, on the output of stage first - 1.
  Variable forward_from(const Variable& x, int first, const ForwardContext& context);

  /// Parameters (and buffers) of stages [first, last), with full names.
  std::vector<NamedVariable> stage_parameters(int first, int last) const;
  std::vector<NamedVariable> stage_buffers(int first, int last) const;
  /// Freezes the first `cut` stages under `policy` and thaws all others and the head.
  void freeze_until(int cut, BatchNormPolicy policy);
  /// True iff nothing is dropped at random in the first `cut` stages (a condition of the feature cache).
  bool deterministic_until(int cut) const;

 protected:
  void add_stage(const std::string& name, const std::string& prefix, std::shared_ptr<Module> module);
  /// A stage that divide_into_blocks divides.
  void add_stage_of_blocks(const std::string& name, const std::string& prefix, std::shared_ptr<Sequential> blocks);

 private:
  void check_range(int first, int last) const;

  std::vector<Stage> stages_;
  std::map<std::string, std::shared_ptr<Sequential>> divisible_;  ///< stages of blocks by name
};

/// What a backbone is built for.
struct BackboneOptions {
  std::int64_t classes = 1000;
  std::int64_t in_channels = 3;
  std::int64_t height = 224;  ///< input size; matters to networks that flatten
  std::int64_t width = 224;
  std::optional<double> dropout{};  ///< of the classifier; where unset, what the network was published with
  /// Stochastic depth (Huang et al. 2016): the probability with which training drops the last residual branch of an
  /// image, growing linearly from 0 at the first block, as timm counts them.
  double drop_path = 0.0;
  CutPlaces cuts = CutPlaces::stages;  ///< what the network's stages are
};

/// How images are prepared for published weights, in timm's terms.
struct ImageConfig {
  std::int64_t size = 224;                          ///< height and width of the input
  std::array<double, 3> mean{0.485, 0.456, 0.406};  ///< of red, green and blue in [0, 1]
  std::array<double, 3> std{0.229, 0.224, 0.225};
  std::string interpolation = "bilinear";  ///< "bilinear" or "bicubic", to size / crop_pct along the shorter side
  double crop_pct = 0.875;
};

/// Weights that somebody has published for an architecture: NAME.TAG, as timm calls them.
struct PublishedWeights {
  std::string tag;  ///< "tv_in1k"
  ImageConfig image;
};

/// An entry of the registry of backbones.
struct BackboneEntry {
  std::string name;         ///< "convnet6", "resnet18", "cifar_resnet20", "cifar_resnet20_b"
  std::string description;  ///< one line
  BackboneOptions defaults;
  std::vector<PublishedWeights> weights;  ///< the first are meant where no tag is given; may be empty
  std::function<std::shared_ptr<Backbone>(Backend&, const BackboneOptions&)> make;
  bool multi_label = false;  ///< its classes do not exclude each other: sigmoid and binary cross-entropy
};

/// All backbones, sorted by family and depth.
const std::vector<BackboneEntry>& backbones();
/// The entry named so, with or without a tag ("resnet50.tv_in1k"); throws Error(usage) naming the nearest one.
const BackboneEntry& find_backbone(const std::string& name);
/// How images are prepared for the network named so, with or without a tag; a network without published weights takes
/// images as they are ([0, 1], mean 0, deviation 1) at its default size. Throws Error(usage) as find_backbone does.
ImageConfig image_config_of(const std::string& name);
/// Builds it with undefined parameter values: initialize() or load_state() must follow. Throws Error(usage) for dropout
/// or stochastic depth of a network that has no place for it.
std::shared_ptr<Backbone> make_backbone(const std::string& name, Backend& backend, const BackboneOptions& options);

/// The names of a model's stages, or of its blocks: cut n comes after the n-th. Throws Error(usage) as find_backbone.
std::vector<std::string> cut_names(const std::string& model, CutPlaces places);

}  // namespace graft
