#include "models/name_map.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <utility>

namespace graft {
namespace {

class SameNames final : public NameMap {
 public:
  std::string publisher() const override { return "graft"; }
  std::optional<std::string> native(const std::string& name) const override { return name; }
};

/// Rules of the form "expression -> replacement" over whole names, the first that matches; $1, $2 are groups.
class RuleMap final : public NameMap {
 public:
  using Rule = std::pair<std::string, std::string>;

  RuleMap(std::string publisher, const std::vector<Rule>& rules) : publisher_(std::move(publisher)) {
    for (const auto& [expression, replacement] : rules) rules_.emplace_back(std::regex(expression), replacement);
  }
  std::string publisher() const override { return publisher_; }
  std::optional<std::string> native(const std::string& name) const override {
    for (const auto& [expression, replacement] : rules_) {
      std::smatch match;
      if (std::regex_match(name, match, expression)) return match.format(replacement);
    }
    return std::nullopt;
  }

 private:
  std::string publisher_;
  std::vector<std::pair<std::regex, std::string>> rules_;
};

std::string number_after(const std::string& text, int offset) { return std::to_string(std::stoi(text) + offset); }

/// transformers' ResNetForImageClassification: stages from 0, convolutions of a block as layer.0, .1, .2.
class HuggingFaceResNet final : public NameMap {
 public:
  std::string publisher() const override { return "Hugging Face transformers"; }
  std::optional<std::string> native(const std::string& name) const override {
    static const std::regex stem(R"((?:resnet\.)?embedder\.embedder\.(convolution|normalization)\.(\w+))");
    static const std::regex layer(
        R"((?:resnet\.)?encoder\.stages\.(\d+)\.layers\.(\d+)\.layer\.(\d+)\.(convolution|normalization)\.(\w+))");
    static const std::regex shortcut(
        R"((?:resnet\.)?encoder\.stages\.(\d+)\.layers\.(\d+)\.shortcut\.(convolution|normalization)\.(\w+))");
    static const std::regex head(R"(classifier\.1\.(\w+))");
    std::smatch match;
    if (std::regex_match(name, match, stem)) return (match[1] == "convolution" ? "conv1." : "bn1.") + match.str(2);
    if (std::regex_match(name, match, head)) return "fc." + match.str(1);
    if (std::regex_match(name, match, layer)) {
      const std::string part = match[4] == "convolution" ? "conv" : "bn";
      return "layer" + number_after(match[1], 1) + "." + match.str(2) + "." + part + number_after(match[3], 1) + "." +
             match.str(5);
    }
    if (std::regex_match(name, match, shortcut)) {
      const std::string part = match[3] == "convolution" ? "0" : "1";
      return "layer" + number_after(match[1], 1) + "." + match.str(2) + ".downsample." + part + "." + match.str(4);
    }
    return std::nullopt;
  }
};

/// What EfficientNet's blocks are called natively, in the order in which other publishers count them.
struct EfficientNetBlock {
  std::string prefix;         ///< "blocks.1.0."
  bool expands = false;       ///< has conv_pw before conv_dw, hence conv_pwl
  bool squeezes = false;      ///< has squeeze-excitation
  int stage = 0;              ///< 1 in "blocks.1.0."
  int position_in_stage = 0;  ///< 0 in "blocks.1.0."
};

std::vector<EfficientNetBlock> efficientnet_blocks(const std::vector<std::string>& native_names) {
  static const std::regex block(R"((blocks\.(\d+)\.(\d+)\.)(\w+)\..*)");
  std::map<std::pair<int, int>, EfficientNetBlock> blocks;
  for (const std::string& name : native_names) {
    std::smatch match;
    if (!std::regex_match(name, match, block)) continue;
    const std::pair<int, int> key{std::stoi(match[2]), std::stoi(match[3])};
    EfficientNetBlock& entry = blocks[key];
    entry.prefix = match[1];
    entry.stage = key.first;
    entry.position_in_stage = key.second;
    if (match[4] == "conv_pwl") entry.expands = true;
    if (match[4] == "se") entry.squeezes = true;
  }
  std::vector<EfficientNetBlock> ordered;
  ordered.reserve(blocks.size());
  for (const auto& [key, entry] : blocks) ordered.push_back(entry);
  return ordered;
}

/// The parts of a block before its tensors' own names; timm numbers batch norms by their place in the block.
struct BlockParts {
  std::string expand, expand_bn, depthwise, depthwise_bn, project, project_bn;
};
BlockParts parts_of(const EfficientNetBlock& block) {
  if (block.expands) return {"conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"};
  return {"", "", "conv_dw", "bn1", "conv_pw", "bn2"};
}

/// efficientnet_pytorch by lukemelas, and its descendants for the Lite variants: blocks counted through.
class LukemelasEfficientNet final : public NameMap {
 public:
  explicit LukemelasEfficientNet(std::vector<EfficientNetBlock> blocks) : blocks_(std::move(blocks)) {}
  std::string publisher() const override { return "efficientnet_pytorch (lukemelas)"; }
  std::optional<std::string> native(const std::string& name) const override {
    static const std::regex outside(R"((_conv_stem|_bn0|_conv_head|_bn1|_fc)\.(\w+))");
    static const std::map<std::string, std::string> outside_names{{"_conv_stem", "conv_stem"},
                                                                  {"_bn0", "bn1"},
                                                                  {"_conv_head", "conv_head"},
                                                                  {"_bn1", "bn2"},
                                                                  {"_fc", "classifier"}};
    static const std::regex inside(R"(_blocks\.(\d+)\.(\w+)\.(\w+))");
    std::smatch match;
    if (std::regex_match(name, match, outside)) return outside_names.at(match[1]) + "." + match.str(2);
    if (!std::regex_match(name, match, inside)) return std::nullopt;
    const auto index = static_cast<std::size_t>(std::stoul(match[1]));
    if (index >= blocks_.size()) return std::nullopt;
    const BlockParts parts = parts_of(blocks_[index]);
    const std::map<std::string, std::string> names{
        {"_expand_conv", parts.expand},   {"_bn0", parts.expand_bn},        {"_depthwise_conv", parts.depthwise},
        {"_bn1", parts.depthwise_bn},     {"_project_conv", parts.project}, {"_bn2", parts.project_bn},
        {"_se_reduce", "se.conv_reduce"}, {"_se_expand", "se.conv_expand"}};
    const auto part = names.find(match[2]);
    if (part == names.end() || part->second.empty()) return std::nullopt;
    return blocks_[index].prefix + part->second + "." + match.str(3);
  }

 private:
  std::vector<EfficientNetBlock> blocks_;
};

/// torchvision's EfficientNet: features.0 is the stem, features.1 ... the stages, the last the head's convolution.
class TorchvisionEfficientNet final : public NameMap {
 public:
  explicit TorchvisionEfficientNet(std::vector<EfficientNetBlock> blocks) : blocks_(std::move(blocks)) {
    for (const EfficientNetBlock& block : blocks_) stages_ = std::max(stages_, block.stage + 1);
  }
  std::string publisher() const override { return "torchvision"; }
  std::optional<std::string> native(const std::string& name) const override {
    static const std::regex outside(R"(features\.(\d+)\.([01])\.(\w+))");
    static const std::regex inside(R"(features\.(\d+)\.(\d+)\.block\.(\d+)\.(\w+)\.(\w+))");
    static const std::regex head(R"(classifier\.1\.(\w+))");
    std::smatch match;
    if (std::regex_match(name, match, head)) return "classifier." + match.str(1);
    if (std::regex_match(name, match, outside)) {
      const int place = std::stoi(match[1]);
      const bool convolution = match[2] == "0";
      if (place == 0) return (convolution ? "conv_stem." : "bn1.") + match.str(3);
      if (place == stages_ + 1) return (convolution ? "conv_head." : "bn2.") + match.str(3);
      return std::nullopt;
    }
    if (!std::regex_match(name, match, inside)) return std::nullopt;
    for (const EfficientNetBlock& block : blocks_) {
      if (block.stage + 1 == std::stoi(match[1]) && block.position_in_stage == std::stoi(match[2])) {
        return within(block, std::stoi(match[3]), match[4], match[5]);
      }
    }
    return std::nullopt;
  }

 private:
  static std::optional<std::string> within(const EfficientNetBlock& block, int place, const std::string& part,
                                           const std::string& tensor) {
    const BlockParts parts = parts_of(block);
    std::vector<std::array<std::string, 2>> places;
    if (block.expands) places.push_back({parts.expand, parts.expand_bn});
    places.push_back({parts.depthwise, parts.depthwise_bn});
    if (block.squeezes) places.push_back({"se.conv_reduce", "se.conv_expand"});
    places.push_back({parts.project, parts.project_bn});
    if (place < 0 || static_cast<std::size_t>(place) >= places.size()) return std::nullopt;
    const bool second = part == "1" || part == "fc2";
    return block.prefix + places[static_cast<std::size_t>(place)][second ? 1 : 0] + "." + tensor;
  }

  std::vector<EfficientNetBlock> blocks_;
  int stages_ = 0;
};

bool any_starts_with(const std::vector<std::string>& names, const std::string& prefix) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(prefix); });
}

}  // namespace

const NameMap& same_names() {
  static const SameNames same;
  return same;
}

std::vector<std::unique_ptr<NameMap>> name_maps(const std::vector<std::string>& native_names) {
  std::vector<std::unique_ptr<NameMap>> maps;
  maps.push_back(std::make_unique<SameNames>());
  maps.push_back(std::make_unique<HuggingFaceResNet>());
  if (any_starts_with(native_names, "blocks.")) {
    const std::vector<EfficientNetBlock> blocks = efficientnet_blocks(native_names);
    maps.push_back(std::make_unique<LukemelasEfficientNet>(blocks));
    maps.push_back(std::make_unique<TorchvisionEfficientNet>(blocks));
  }
  // torchvision's files of 2017 write "norm.1" where its module has "norm1".
  maps.push_back(std::make_unique<RuleMap>(
      "torchvision (2017)",
      std::vector<RuleMap::Rule>{{R"((.*denselayer\d+\.(?:norm|conv))\.([12])\.(\w+))", "$1$2.$3"},
                                 {R"((features|classifier)\.(.*))", "$1.$2"}}));
  // timm's VGG: the two hidden linear layers as convolutions, the head apart.
  maps.push_back(
      std::make_unique<RuleMap>("timm", std::vector<RuleMap::Rule>{{R"(features\.(.*))", "features.$1"},
                                                                   {R"(pre_logits\.fc1\.(\w+))", "classifier.0.$1"},
                                                                   {R"(pre_logits\.fc2\.(\w+))", "classifier.3.$1"},
                                                                   {R"(head\.fc\.(\w+))", "classifier.6.$1"}}));
  return maps;
}

}  // namespace graft
