#include <algorithm>
#include <cstring>

#include "engine/io/checkpoint_readers.h"
#include "engine/io/safetensors_file.h"

namespace graft {
namespace {

class SafetensorsCheckpoint : public Checkpoint {
 public:
  explicit SafetensorsCheckpoint(const std::filesystem::path& path) : Checkpoint(path, "safetensors"), file_(path) {
    for (const auto& [name, entry] : file_.entries()) entries_.emplace_back(&name, &entry);
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Named& a, const Named& b) { return a.second->begin < b.second->begin; });
    for (const auto& [name, entry] : entries_) {
      add({.name = *name,
           .dtype = entry->dtype,
           .known = entry->known,
           .shape = entry->shape,
           .nbytes = entry->end - entry->begin,
           .problem = {}});
    }
    for (const auto& [key, value] : file_.metadata()) add_metadata(key, value);
  }

 private:
  using Named = std::pair<const std::string*, const SafetensorsEntry*>;

  void read_tensor(std::size_t index, std::span<std::byte> destination) const override {
    if (!destination.empty()) {
      std::memcpy(destination.data(), file_.bytes(*entries_[index].second).data(), destination.size());
    }
  }

  std::optional<std::span<const std::byte>> mapped_tensor(std::size_t index) const override {
    return file_.bytes(*entries_[index].second);
  }

  SafetensorsFile file_;
  std::vector<Named> entries_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_safetensors(const std::filesystem::path& path) {
  return std::make_unique<SafetensorsCheckpoint>(path);
}

}  // namespace graft
