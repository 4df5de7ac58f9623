#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "tests/io/temporary_folder.h"
#include "transfer/manifest.h"
#include "transfer/plan.h"
#include "transfer/record.h"

namespace graft::testing {

/// A study file that ships.
std::filesystem::path shipped_study(const std::string& name);

/// A data set of Fashion-MNIST's class names with so many images of each class; its images cannot be read.
DatasetPair fake_fashion_mnist(std::int64_t train_per_class = 6000, std::int64_t test_per_class = 1000);

/// The demo's plan, or another study's, for a fixed context.
Plan plan_of(const Study& study, const RunContext& context = {.device_kind = "avx2", .threads = 1, .data_hash = "d"});

/// INVENTED results for every run of a plan, no measurements: accuracies that fall with the cut as the treatments'
/// usually do, with Philox noise; `random` at cut 5 is at chance with seed 0.
std::vector<RunResult> invented_results(const Plan& plan);
Manifest invented_manifest(const Plan& plan);

void write_text(const std::filesystem::path& path, const std::string& text);
/// study.yaml, manifest.json and results.jsonl of a shipped study with invented results.
void write_results_folder(const std::filesystem::path& folder, const std::string& study,
                          const std::vector<RunResult>& results);

}  // namespace graft::testing
