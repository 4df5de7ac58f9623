#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "transfer/plan.h"

namespace graft {

/// What a backbone for this study's data is built for.
BackboneOptions backbone_options(const Dataset& data, std::int64_t classes);

/// A network of the study, cut where the study cuts, with undefined values.
std::shared_ptr<Backbone> make_network(const Study& study, const Dataset& data, std::int64_t classes, Backend& backend);
/// The network of a run on `data`, its half's images: make_network, or a linear probe of it.
std::shared_ptr<Backbone> make_run_network(const RunSpec& run, const Study& study, const Dataset& data,
                                           Backend& backend);

/// Gives every parameter and buffer its first value: copied stages from the base's checkpoint or the study's published
/// weights (source_weights_path), everything else by (seed, role, name).
void initialize_run(Backbone& network, const RunSpec& run, const std::filesystem::path& study_folder);
/// Leading stages of the run's network that stay as they are: the cut where the treatment freezes, with the pooling of
/// a linear probe, else 0.
int frozen_stages(const RunSpec& run);
/// What must not change in `count` frozen stages: parameters and, but under policy update, buffers.
std::vector<NamedVariable> frozen_state(const Backbone& network, int count, BatchNormPolicy policy);

}  // namespace graft
