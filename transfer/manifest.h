#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "transfer/plan.h"

namespace graft {

/// The two halves of a split by class name, with the SHA-256 of both lists.
struct ManifestSplit {
  std::string name;
  std::vector<std::string> source;
  std::vector<std::string> target;
  std::string sha256;
};

/// A program that contributed runs.
struct ManifestBinary {
  std::string sha256;
  std::map<std::string, std::string> versions;  ///< of the libraries that it ran with
};

/// A published table that the report draws: its copy is the folder's reference.csv.
struct ManifestReference {
  std::string file;                 ///< where it was
  std::string source;               ///< who published it
  std::vector<std::string> splits;  ///< see ReferenceTable
  std::string sha256;
};

/// How a study's test images are divided: the file's copy is the folder's subgroups.csv.
struct ManifestSubgroups {
  std::string file;  ///< its name where it was
  std::vector<std::string> names;
  std::string sha256;
};

/// What a results folder was made from: manifest.json.
struct Manifest {
  std::string study;
  std::string study_sha256;                     ///< of study.yaml
  std::string dataset;                          ///< its name
  std::map<std::string, std::string> data;      ///< "train", "test", "source_train", "source_test" -> SHA-256
  std::map<std::string, std::string> licenses;  ///< "data", "source_data", "source_weights" -> as stated
  std::vector<std::string> stages;              ///< names of the model's stages
  std::vector<ManifestSplit> splits;            ///< see manifest_splits
  std::vector<std::uint64_t> seeds;             ///< of the study
  std::map<std::string, std::string> weights;   ///< run id or file name -> SHA-256 of weights kept or read
  std::vector<ManifestBinary> binaries;         ///< in order of their latest start; the last is the present one
  std::string device_kind;                      ///< "avx512_bf16"
  std::string device_name;                      ///< "AMD EPYC 9R14"
  int threads = 1;                              ///< of one run: part of a run's id
  int jobs = 1;                                 ///< runs at a time; changes no result
  std::optional<ManifestReference> reference{};
  std::optional<ManifestSubgroups> subgroups{};
  std::vector<std::vector<std::string>> command_lines;  ///< each start that added runs, program first
};

/// The splits of a plan, with class names instead of indices.
std::vector<ManifestSplit> manifest_splits(const Plan& plan, const std::vector<std::string>& source_names,
                                           const std::vector<std::string>& target_names);
/// The licences of what a study takes in, by what its file or the registry of data sets says; "not stated" of others.
std::map<std::string, std::string> licenses_of(const Study& study);
/// Notes that a program contributes: it becomes the last; each hash stands once.
void add_binary(Manifest& manifest, const ManifestBinary& binary);

std::string manifest_to_json(const Manifest& manifest);
/// Throws Error(data) naming `where` and the field that is missing or of a wrong type.
Manifest manifest_from_json(const std::string& text, const std::string& where);

/// folder/manifest.json. read throws Error(data) if it is missing or damaged; write replaces it as one step.
Manifest read_manifest(const std::filesystem::path& folder);
void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace graft
