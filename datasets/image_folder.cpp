#include "datasets/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/base/error.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> kSuffixes = {".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                                       ".pgm", ".tif",  ".tiff", ".webp"};
constexpr int kMaxDepth = 64;  // folders are followed through links, which may lead back

bool is_image_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(kSuffixes.begin(), kSuffixes.end(),
                     [&](std::string_view suffix) { return name.ends_with(suffix); });
}

struct Listing {
  std::vector<std::string> folders;
  std::vector<std::string> files;
};

Listing list(const fs::path& folder) {
  Listing listing;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    std::error_code unreadable;  // a link to nowhere is neither
    (entries->is_directory(unreadable) ? listing.folders : listing.files)
        .push_back(entries->path().filename().string());
  }
  if (error) fail(ErrorKind::data, "{}: cannot list the folder: {}", folder.string(), error.message());
  std::sort(listing.folders.begin(), listing.folders.end());
  std::sort(listing.files.begin(), listing.files.end());
  return listing;
}

void find_folders(const fs::path& root, const std::string& below, int depth, std::vector<std::string>& found,
                  std::vector<std::vector<std::string>>& files) {
  if (depth > kMaxDepth) {
    fail(ErrorKind::data, "{}: folders lie more than {} deep; remove links that lead back", (root / below).string(),
         kMaxDepth);
  }
  Listing listing = list(root / below);
  found.push_back(below);
  files.push_back(std::move(listing.files));
  for (const std::string& name : listing.folders) find_folders(root, below + "/" + name, depth + 1, found, files);
}

/// The images of one class.
std::vector<std::string> class_files(const fs::path& root, const std::string& name) {
  std::vector<std::string> folders;
  std::vector<std::vector<std::string>> files;
  find_folders(root, name, 1, folders, files);
  std::vector<std::size_t> order(folders.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return folders[a] < folders[b]; });
  std::vector<std::string> images;
  for (const std::size_t i : order) {
    for (const std::string& file : files[i]) {
      if (is_image_name(file)) images.push_back(folders[i] + "/" + file);
    }
  }
  return images;
}

fs::path part_folder(const fs::path& folder, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (fs::is_directory(folder / name)) return folder / name;
  }
  return {};
}

enum class Part { train, test, unsaid };

Part part_of(const std::string& file) {
  const std::string_view folder = std::string_view(file).substr(0, file.find('/'));
  if (folder == "train") return Part::train;
  return folder == "val" || folder == "validation" || folder == "test" ? Part::test : Part::unsaid;
}

ImageFiles part_files(const ImageFiles& all, Part part) {
  ImageFiles files{.root = all.root, .files = {}, .labels = {}, .class_names = all.class_names};
  const std::ptrdiff_t classes = std::ssize(all.class_names);
  for (std::size_t i = 0; i < all.files.size(); ++i) {
    if (part_of(all.files[i]) != part) continue;
    files.files.push_back(all.files[i]);
    const auto targets = all.targets.begin() + static_cast<std::ptrdiff_t>(i) * classes;
    files.targets.insert(files.targets.end(), targets, targets + classes);
  }
  return files;
}

/// Training and test images with several labels each.
std::pair<ImageFiles, ImageFiles> list_labelled(const fs::path& folder, const LabelFiles& labels) {
  ImageFiles all = read_label_file(labels.all, folder);
  if (!labels.test.empty()) {
    ImageFiles test = read_label_file(labels.test, folder);
    if (test.class_names != all.class_names) {
      fail(ErrorKind::data, "{}: the classes are not those of {}; both parts need the same", labels.test, labels.all);
    }
    return {std::move(all), std::move(test)};
  }
  ImageFiles train = part_files(all, Part::train);
  ImageFiles test = part_files(all, Part::test);
  if (train.files.empty() || test.files.empty()) return {all, all};
  if (train.files.size() + test.files.size() < all.files.size()) {
    fail(ErrorKind::data, "{}: '{}' is neither in train/ nor in val/, as others are", labels.all,
         part_files(all, Part::unsaid).files.front());
  }
  return {std::move(train), std::move(test)};
}

}  // namespace

ImageFiles list_image_folder(const fs::path& folder) {
  ImageFiles result{.root = folder, .files = {}, .labels = {}, .class_names = list(folder).folders};
  if (result.class_names.empty()) {
    fail(ErrorKind::data, "{}: has no class folders; put the images of each class into a folder of its name",
         folder.string());
  }
  for (std::size_t i = 0; i < result.class_names.size(); ++i) {
    std::vector<std::string> images = class_files(folder, result.class_names[i]);
    if (images.empty()) {
      fail(ErrorKind::data, "{}: has no images (.jpg, .png, .bmp, .ppm, ...); fill or remove the folder",
           (folder / result.class_names[i]).string());
    }
    result.labels.insert(result.labels.end(), images.size(), static_cast<std::int64_t>(i));
    std::move(images.begin(), images.end(), std::back_inserter(result.files));
  }
  return result;
}

DatasetPair open_image_folder(const fs::path& folder, const ImageOptions& options) {
  const ImageTransform transform = options.transform.value_or(ImageTransform{});
  if (options.labels.given()) {
    const auto [training, testing] = list_labelled(folder, options.labels);
    return {.train = open_image_files(training, transform, options.limits),
            .test = open_image_files(testing, transform, options.limits),
            .mean = transform.mean,
            .deviation = transform.deviation};
  }
  const fs::path train = part_folder(folder, {"train"});
  const fs::path test = part_folder(folder, {"val", "validation", "test"});
  DatasetPair pair{.train = nullptr, .test = nullptr, .mean = transform.mean, .deviation = transform.deviation};
  if (train.empty() && test.empty()) {
    pair.train = pair.test = open_image_files(list_image_folder(folder), transform, options.limits);
    return pair;
  }
  if (train.empty() || test.empty()) {
    fail(ErrorKind::data, "{}: has {} but no {}; add it, or name a folder that has class folders only", folder.string(),
         (train.empty() ? test : train).filename().string(), train.empty() ? "train" : "val");
  }
  pair.train = open_image_files(list_image_folder(train), transform, options.limits);
  pair.test = open_image_files(list_image_folder(test), transform, options.limits);
  if (pair.train->class_names() != pair.test->class_names()) {
    fail(ErrorKind::data, "{}: the class folders are not those of {}; both parts need the same", test.string(),
         train.string());
  }
  return pair;
}

}  // namespace graft
