#include "transfer/split_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "datasets/dataset.h"
#include "engine/base/error.h"
#include "engine/io/file.h"
#include "transfer/class_groups.h"

namespace graft {
namespace {

using Names = std::vector<std::string>;

void exclude(const YamlMap& split, std::initializer_list<const char*> keys, const std::string& with) {
  for (const char* key : keys) {
    if (const auto value = split.find(key)) value->reject("and " + with + " exclude each other: keep one");
  }
}

/// A list of classes, or of groups where the study has some, or "all" (nothing).
Names read_half(const YamlValue& value, const Study& study) {
  if (value.is("all")) return {};
  const Names listed = distinct(value, [](const YamlValue& element) { return element.text(); });
  Names classes;
  if (study.groups.empty()) {
    classes = listed;
  } else {
    Names known;
    for (const ClassGroup& group : study.groups) known.push_back(group.name);
    for (const YamlValue& element : value.elements()) {
      const std::string name = element.one_of(known);
      const auto group =
          std::find_if(study.groups.begin(), study.groups.end(), [&](const ClassGroup& g) { return g.name == name; });
      classes.insert(classes.end(), group->classes.begin(), group->classes.end());
    }
  }
  value.require(classes.size() >= 2, "has one class, a half needs at least two to tell apart");
  return classes;
}

void read_checkpoint(const YamlMap& source, const YamlValue& checkpoint, Study& study) {
  study.source_checkpoint = checkpoint.text();
  exclude(source, {"dataset", "classes"}, "split.source.checkpoint");
  checkpoint.require(study.images.has_value(),
                     "needs `images`: say how they are prepared for these weights, such as "
                     "`images: published`");
  if (const auto license = source.find("license")) study.source_license = license->text();
}

/// A list, or a mapping that says where else the source comes from.
void read_source(const YamlValue& value, Study& study) {
  if (!value.node().IsMap()) {
    study.source_classes = read_half(value, study);
    value.require(!study.source_classes.empty(), "is 'all': what is left for the target?");
    return;
  }
  const YamlMap source(value, {"dataset", "classes", "checkpoint", "license"});
  if (const auto checkpoint = source.find("checkpoint")) return read_checkpoint(source, *checkpoint, study);
  if (const auto license = source.find("license")) license->reject("is of split.source.checkpoint, which is not there");
  study.source_dataset = read_dataset(source.at("dataset"));
  if (study.source_dataset == study.dataset) study.source_dataset.clear();
  if (const auto classes = source.find("classes")) study.source_classes = read_half(*classes, study);
}

void check_disjoint(const YamlValue& target, const Study& study) {
  if (!target.node().IsSequence() || !study.groups.empty()) return;  // else when the data sets are known
  const auto among = [](const Names& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const YamlValue& element : target.elements()) {
    const std::string name = element.text();
    element.require(!among(study.source_classes, name) || among(study.overlap, name),
                    "is '" + name + "', which is in split.source too: a class belongs to one half");
  }
}

void read_named_halves(const YamlMap& split, Study& study) {
  if (const auto overlap = split.find("overlap")) {
    study.overlap = distinct(*overlap, [](const YamlValue& element) { return element.text(); });
  }
  read_source(split.at("source"), study);
  study.target_classes = read_half(split.at("target"), study);
  check_disjoint(split.at("target"), study);
}

void read_random_halves(const YamlMap& split, const YamlValue& halves, Study& study) {
  study.random_splits = halves.integer(1, 10000);
  exclude(split, {"source", "target", "overlap"}, "split.random_halves");
  if (const auto use = split.find("halves")) {
    const Names uses{name_of(GroupUse::similar), name_of(GroupUse::dissimilar)};
    use->require(!study.groups.empty(), "needs split.groups: of what are the halves similar or not?");
    study.group_use = use->one_of(uses) == uses.front() ? GroupUse::similar : GroupUse::dissimilar;
  } else if (const auto groups = split.find("groups")) {
    groups->reject("needs split.halves: similar or dissimilar");
  }
}

/// A mapping of names to halves: each as split.source and split.target are, with groups of its own where it has some.
std::vector<NamedSplit> read_named_splits(const YamlValue& mapping) {
  mapping.require(mapping.node().IsMap(), "must map names of splits to their source and target");
  std::vector<NamedSplit> splits;
  for (const auto& entry : mapping.node()) {
    const std::string name = entry.first.Scalar();
    const std::string path = mapping.path() + "." + name;
    const YamlMap halves(YamlValue(entry.second, path, mapping.file()), {"source", "target", "groups"});
    Study one;
    if (const auto groups = halves.find("groups")) one.groups = read_class_groups(*groups);
    one.source_classes = read_half(halves.at("source"), one);
    halves.at("source").require(!one.source_classes.empty(), "is 'all': what is left for the target?");
    const YamlValue target = halves.at("target");
    if (!target.is("rest")) one.target_classes = read_half(target, one);
    target.require(target.is("rest") || !one.target_classes.empty(), "is 'all': say 'rest', or which");
    check_disjoint(target, one);
    splits.push_back({name, one.source_classes, one.target_classes});
  }
  mapping.require(!splits.empty(), "has no split");
  return splits;
}

/// Splits of the study file itself, or of a file that has them under `splits`.
std::vector<NamedSplit> read_splits(const YamlValue& value) {
  if (!value.node().IsScalar()) return read_named_splits(value);
  const std::string file = find_named_file(value).string();
  const YamlMap root(YamlValue(parse_yaml(read_text(file), file), "", file), {"source", "splits"});
  return read_named_splits(root.at("splits"));
}

void check_directions(const YamlValue& both, const Study& study) {
  both.require(!study.both_directions || study.source_checkpoint.empty(),
               "and split.source.checkpoint exclude each other: published weights have no images to be a target with");
}

}  // namespace

std::string read_dataset(const YamlValue& value) {
  Names names;
  for (const DatasetEntry& entry : dataset_entries()) names.push_back(entry.name);
  return value.one_of(names);
}

void read_split(const YamlValue& value, Study& study) {
  const YamlMap split(
      value, {"source", "target", "overlap", "random_halves", "groups", "halves", "seed", "both_directions", "splits"});
  if (const auto splits = split.find("splits")) {
    exclude(split, {"source", "target", "overlap", "random_halves", "groups", "halves"}, "split.splits");
    study.named_splits = read_splits(*splits);
  }
  if (const auto groups = split.find("groups")) study.groups = read_class_groups(*groups);
  if (const auto halves = split.find("random_halves")) {
    read_random_halves(split, *halves, study);
  } else if (study.named_splits.empty()) {
    exclude(split, {"halves"}, "named halves");
    read_named_halves(split, study);
  }
  if (const auto seed = split.find("seed")) study.split_seed = seed->unsigned_integer();
  if (const auto both = split.find("both_directions")) {
    study.both_directions = both->boolean();
    check_directions(*both, study);
  }
}

}  // namespace graft
