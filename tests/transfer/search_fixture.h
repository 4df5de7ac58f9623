#pragma once

#include <filesystem>
#include <string>

#include "tests/transfer/run_fixture.h"
#include "transfer/policy_search.h"

namespace graft::testing {

/// A study of synthetic_data's classes, c0, c1, c2 to c3, c4, c5, as a file's text.
struct SearchedStudy {
  std::string treatments = "[base, BnB, AnB, AnB+]";
  std::string cuts = "[1, 3]";
  std::string split = "{source: [c0, c1, c2], target: [c3, c4, c5]}";
  std::string samples = "{train_per_class: all, test_per_class: all}";
  std::string training = "{epochs: 4, source_epochs: 2, batch_size: 12, lr: 0.02}";
  std::string more{};
};
std::string yaml_of(const SearchedStudy& study);

/// Such a study as prepare_study resolves one, its data in memory.
PreparedStudy prepared_study(const SearchedStudy& study, const SyntheticData& shape = {.train_per_class = 20});

/// What a search of it is given: the CPU, two jobs, one epoch in the first rung of two, and costs that rise with the
/// epochs and fall with what is frozen.
SearchOptions search_options(const SearchedStudy& study, const std::filesystem::path& folder);

}  // namespace graft::testing
