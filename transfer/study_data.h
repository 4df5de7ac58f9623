#pragma once

#include <map>
#include <string>

#include "datasets/dataset.h"
#include "transfer/study.h"

namespace graft {

/// Where the files of a study's data sets are; empty: where their packages put them.
struct DataFolders {
  std::string data;         ///< of Study::dataset
  std::string source_data;  ///< of Study::source_dataset
};

/// The data sets that the halves of a study are taken from: one and the same unless the source has its own.
struct StudyData {
  DatasetPair source{};
  DatasetPair target{};

  StudyData() = default;
  StudyData(const DatasetPair& both) : source(both), target(both) {}  // NOLINT(google-explicit-constructor)

  /// Of half "A" the source's, of "B" the target's.
  const DatasetPair& of(const std::string& half) const { return half == "A" ? source : target; }
};

/// Opens what a study trains and tests on, its images prepared as the study says. Throws Error(data) if the images of
/// its two data sets differ in size or channels and the study does not say what to make of them.
StudyData open_study_data(const Study& study, const DataFolders& folders);

/// Hashes of the parts: "train", "test" and, where the source has a data set of its own, "source_train", "source_test".
std::map<std::string, std::string> data_hashes(const Study& study, const StudyData& data);

/// SHA-256 of everything in a data set that a result depends on, hex.
std::string hash_of(const DatasetPair& data);

}  // namespace graft
