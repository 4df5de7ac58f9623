#include "transfer/run_network.h"

#include <utility>

#include "engine/io/safetensors.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "models/linear_probe.h"
#include "transfer/run_files.h"
#include "transfer/source_weights.h"

namespace graft {
namespace {

template <class Vector>
Vector joined(Vector first, const Vector& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

BackboneOptions backbone_options(const Dataset& data, std::int64_t classes) {
  const Shape image = data.item_shape();
  return {.classes = classes, .in_channels = image.dim(2), .height = image.dim(0), .width = image.dim(1)};
}

std::shared_ptr<Backbone> make_network(const Study& study, const Dataset& data, std::int64_t classes,
                                       Backend& backend) {
  BackboneOptions options = backbone_options(data, classes);
  options.cuts = study.cuts_at;
  return make_backbone(study.model, backend, options);
}

std::shared_ptr<Backbone> make_run_network(const RunSpec& run, const Study& study, const Dataset& data,
                                           Backend& backend) {
  const auto classes = static_cast<std::int64_t>(target_classes(run).size());
  std::shared_ptr<Backbone> network = make_network(study, data, classes, backend);
  if (run.treatment != Treatment::probe) return network;
  return make_linear_probe(*network, backend, {.cut = run.cut, .image = data.item_shape(), .classes = classes});
}

int frozen_stages(const RunSpec& run) {
  if (!freezes(run.treatment)) return 0;
  return run.treatment == Treatment::probe ? run.cut + 1 : run.cut;
}

void initialize_run(Backbone& network, const RunSpec& run, const std::filesystem::path& study_folder) {
  initialize(state_of(network), run.seed, init_role(run));
  const std::vector<NamedVariable> carried =
      joined(network.stage_parameters(0, run.cut), network.stage_buffers(0, run.cut));
  if (copies_layers(run.treatment)) {
    load_state(
        run.depends_on.empty() ? source_weights_path(study_folder) : checkpoint_path(study_folder, run.depends_on),
        carried);
  } else if (run.treatment == Treatment::random) {
    initialize(carried, run.seed, kRandomFrozenRole);
  }
}

std::vector<NamedVariable> frozen_state(const Backbone& network, int count, BatchNormPolicy policy) {
  std::vector<NamedVariable> state = network.stage_parameters(0, count);
  return policy == BatchNormPolicy::update ? state : joined(std::move(state), network.stage_buffers(0, count));
}

}  // namespace graft
