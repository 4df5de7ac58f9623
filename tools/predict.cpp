#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tools/command.h"
#include "tools/image_flags.h"
#include "tools/network_file.h"

// `graft predict`: what a network sees on images.
namespace graft {
namespace {

struct PredictFlags {
  NetworkFileFlags network;
  ImageFlags image;
  std::vector<std::string> images;
  std::string class_names;
  std::int64_t top = 5;
  bool json = false;
};

struct Guess {
  std::int64_t index = 0;
  double probability = 0.0;
};

/// The classes' probabilities: softmax of a row of logits or, where classes do not exclude each other, a sigmoid each.
std::vector<double> probabilities(const std::vector<float>& logits, bool multi_label) {
  std::vector<double> result;
  result.reserve(logits.size());
  const double most = *std::max_element(logits.begin(), logits.end());
  for (const double logit : logits) {
    result.push_back(multi_label ? 1.0 / (1.0 + std::exp(-logit)) : std::exp(logit - most));
  }
  if (multi_label) return result;
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& value : result) value /= sum;
  return result;
}

/// The `count` most probable classes of a row of logits, the first of equal ones first.
std::vector<Guess> most_probable(const std::vector<float>& logits, bool multi_label, std::size_t count) {
  const std::vector<double> all = probabilities(logits, multi_label);
  std::vector<Guess> guesses;
  guesses.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) guesses.push_back({static_cast<std::int64_t>(i), all[i]});
  std::stable_sort(guesses.begin(), guesses.end(), [&](const Guess& a, const Guess& b) {
    return logits[static_cast<std::size_t>(a.index)] > logits[static_cast<std::size_t>(b.index)];
  });
  guesses.resize(std::min(count, guesses.size()));
  return guesses;
}

/// A name a line; empty without a file.
std::vector<std::string> read_names(const std::string& file) {
  std::vector<std::string> names;
  if (file.empty()) return names;
  std::istringstream lines(read_text(file));
  for (std::string line; std::getline(lines, line);) names.push_back(line);
  return names;
}

int predict(const PredictFlags& flags) {
  const ImageTransform transform = image_transform(flags.network.model, flags.image);
  const auto backend = make_network_backend(flags.network);
  const LoadedNetwork loaded = load_network(flags.network, *backend, transform.size);
  const std::vector<std::string> given = read_names(flags.class_names);
  const std::vector<std::string>& names = given.empty() ? loaded.class_names : given;
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != loaded.classes) {
    fail(ErrorKind::usage, "--class-names {}: {} lines for {} classes", flags.class_names, names.size(),
         loaded.classes);
  }
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for_each_output(
      flags.network, flags.images, transform, {.max_pixels = flags.image.max_pixels}, *backend,
      [&](const Tensor& items) { return loaded.network->forward(Variable(items), {}).value(); },
      [&](const std::string& image, const std::vector<float>& logits) {
        const std::vector<Guess> guesses =
            most_probable(logits, loaded.multi_label, static_cast<std::size_t>(flags.top));
        nlohmann::ordered_json top = nlohmann::ordered_json::array();
        if (!flags.json) fmt::print("{}\n", image);
        for (const auto& [index, probability] : guesses) {
          const std::string name = names.empty() ? "" : names[static_cast<std::size_t>(index)];
          if (!flags.json)
            fmt::print("  {:6.2f}%  {:4}{}{}\n", 100.0 * probability, index, name.empty() ? "" : "  ", name);
          top.push_back({{"index", index}, {"name", name}, {"probability", probability}});
        }
        all.push_back({{"image", image}, {"top", top}});
      });
  if (flags.json) fmt::print("{}\n", all.dump(2));
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("predict", "the most probable classes of images");
  auto flags = std::make_shared<PredictFlags>();
  command->add_option("IMAGE", flags->images, "image files")->required();
  add_network_file_flags(*command, flags->network);
  add_image_flags(*command, flags->image);
  command->add_option("--top", flags->top, "classes an image")->check(CLI::PositiveNumber);
  command->add_option("--class-names", flags->class_names, "a file with a class name a line");
  command->add_flag("--json", flags->json, "print an array of {image, top: [{index, name, probability}]}");
  command->callback([&context, flags] { context.chosen = [flags] { return predict(*flags); }; });
}

}  // namespace graft
