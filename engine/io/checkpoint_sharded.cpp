#include <map>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/checkpoint_readers.h"
#include "engine/io/file.h"
#include "engine/io/format_fault.h"
#include "engine/io/strict_json.h"

namespace graft {
namespace {

constexpr int kMaxDepth = 4;

/// Tensor -> file of the same folder.
std::map<std::string, std::string> weight_map(const std::filesystem::path& index) {
  const MappedFile file(index);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  const nlohmann::json json = parse_strict_json(text, kMaxDepth, "the index");
  const auto found = json.find("weight_map");
  if (found == json.end() || !found->is_object()) {
    refused("give the index of a sharded checkpoint or a checkpoint", "it has no \"weight_map\"");
  }
  std::map<std::string, std::string> result;
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) damaged("weight_map's '{}' is no file name", printable(name));
    const auto shard = value.get<std::string>();
    if (shard.empty() || shard == ".." || shard.find('/') != std::string::npos ||
        shard.find('\0') != std::string::npos) {
      damaged("weight_map's '{}' lies in '{}', which is no name in the index's own folder", printable(name),
              printable(shard));
    }
    result.emplace(name, shard);
  }
  return result;
}

class ShardedCheckpoint : public Checkpoint {
 public:
  ShardedCheckpoint(const std::filesystem::path& index, std::string format,
                    std::map<std::string, std::unique_ptr<Checkpoint>> shards,
                    const std::map<std::string, std::string>& files)
      : Checkpoint(index, std::move(format)), shards_(std::move(shards)) {
    for (const auto& [file, shard] : shards_) {
      add_file(shard->path());
      for (const CheckpointTensor& tensor : shard->tensors()) add_from(file, *shard, tensor, files);
      for (const auto& [key, value] : shard->metadata()) add_metadata(key, value);
      for (const std::string& note : shard->notes()) add_note(file + ": " + note);
    }
    for (const auto& [name, file] : files) {
      if (find(name) == nullptr)
        damaged("{} has no tensor '{}', which the index lays there", printable(file), printable(name));
    }
    add_note(fmt::format("split over {} files", shards_.size()));
  }

 private:
  void add_from(const std::string& file, const Checkpoint& shard, const CheckpointTensor& tensor,
                const std::map<std::string, std::string>& files) {
    const auto listed = files.find(tensor.name);
    if (listed == files.end() || listed->second != file) {
      damaged("{} has a tensor '{}' that the index does not lay there", printable(file), printable(tensor.name));
    }
    sources_.emplace_back(&shard, tensor.index);
    add(tensor);
  }

  void read_tensor(std::size_t index, std::span<std::byte> destination) const override {
    const auto& [shard, position] = sources_[index];
    shard->read(shard->tensors()[position], destination);
  }

  std::optional<std::span<const std::byte>> mapped_tensor(std::size_t index) const override {
    const auto& [shard, position] = sources_[index];
    return shard->mapped(shard->tensors()[position]);
  }

  std::map<std::string, std::unique_ptr<Checkpoint>> shards_;
  std::vector<std::pair<const Checkpoint*, std::size_t>> sources_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_sharded(const std::filesystem::path& index, const CheckpointOptions& options) {
  return naming_file(index, "index", [&]() -> std::unique_ptr<Checkpoint> {
    const std::map<std::string, std::string> files = weight_map(index);
    if (files.empty()) damaged("its weight_map is empty");
    std::map<std::string, std::unique_ptr<Checkpoint>> shards;
    for (const auto& [name, file] : files) {
      if (shards.contains(file)) continue;
      if (file.ends_with(".json")) damaged("weight_map's '{}' lies in another index", printable(name));
      shards.emplace(file, open_checkpoint(index.parent_path() / file, options));
    }
    std::string format = shards.begin()->second->format();
    return std::make_unique<ShardedCheckpoint>(index, std::move(format), std::move(shards), files);
  });
}

}  // namespace graft
