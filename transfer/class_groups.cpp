#include "transfer/class_groups.h"

#include <map>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "transfer/named_file.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

std::vector<ClassGroup> groups_of(const YamlValue& mapping) {
  mapping.require(mapping.node().IsMap(), "must map names of groups to lists of classes");
  std::vector<ClassGroup> groups;
  std::map<std::string, std::string> group_of;
  for (const auto& entry : mapping.node()) {
    const std::string name = entry.first.Scalar();
    ClassGroup group{.name = name, .classes = {}};
    for (const YamlValue& element : YamlValue(entry.second, mapping.path() + "." + name, mapping.file()).elements()) {
      const std::string text = element.text();
      const auto [there, added] = group_of.emplace(text, name);
      element.require(added, fmt::format("is '{}', which is in group {} already", text, there->second));
      group.classes.push_back(text);
    }
    groups.push_back(std::move(group));
  }
  mapping.require(!groups.empty(), "has no group");
  return groups;
}

}  // namespace

fs::path find_named_file(const YamlValue& value) {
  const fs::path given = value.text();
  const fs::path found = find_named_file(given, value.file());
  if (!found.empty()) return found;
  value.reject(
      fmt::format("names {}, which is not there, nor {}", given.string(), beside(given, value.file()).string()));
}

std::vector<ClassGroup> read_class_groups(const YamlValue& value) {
  if (!value.node().IsScalar()) return groups_of(value);
  const std::string file = find_named_file(value).string();
  const YamlMap root(YamlValue(parse_yaml(read_text(file), file), "", file), {"source", "groups"});
  return groups_of(root.at("groups"));
}

}  // namespace graft
