#include "tests/transfer/search_fixture.h"

#include "engine/backend/registry.h"
#include "engine/cpu/cpu_backend.h"
#include "transfer/run_network.h"

namespace graft::testing {
namespace {

void register_cpu() {
  if (!backend_registry().kinds().empty()) return;
  backend_registry().add({.name = "cpu", .description = "for tests", .make = make_cpu_backend});
}

}  // namespace

std::string yaml_of(const SearchedStudy& study) {
  return "name: searched\ndataset: fashion-mnist\nmodel: convnet6\nsplit: " + study.split +
         "\nsamples: " + study.samples + "\ntreatments: " + study.treatments + "\ncuts: " + study.cuts +
         "\nseeds: [0, 1]\ntraining: " + study.training + "\n" + study.more;
}

PreparedStudy prepared_study(const SearchedStudy& study, const SyntheticData& shape) {
  register_cpu();
  PreparedStudy prepared;
  prepared.data = StudyData(synthetic_data(shape));
  prepared.stages = {"conv1", "conv2", "conv3", "conv4", "conv5", "fc1"};
  prepared.device_kind = backend_registry().make("cpu", {.threads = 1})->device_kind();
  prepared.plan =
      make_plan(parse_study(yaml_of(study), "searched.yaml"), prepared.data, static_cast<int>(prepared.stages.size()),
                {.device_kind = prepared.device_kind, .data_hash = hash_of(prepared.data.target)});
  return prepared;
}

SearchOptions search_options(const SearchedStudy& study, const std::filesystem::path& folder) {
  SearchOptions options;
  options.runner.study_text = yaml_of(study);
  options.runner.folder = folder;
  options.runner.jobs = 2;
  options.runner.binary = "test";
  options.least = 1;
  options.costs = [](const PreparedStudy& phase) -> CostFunction {
    return [phase_study = phase.plan.study](const RunSpec& run) {
      const auto epochs = static_cast<double>(training_of(phase_study, run).epochs);
      return RunCost{.flops = epochs * (10.0 - frozen_stages(run))};
    };
  };
  return options;
}

}  // namespace graft::testing
