// A checkpoint reader on any bytes: it opens the file and reads every tensor, or throws. GRAFT_FUZZ_READER says which.
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "engine/io/checkpoint_readers.h"
#include "engine/io/format_fault.h"
#include "engine/io/inflate.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using graft::Checkpoint;
using Path = std::filesystem::path;
using File = std::shared_ptr<const graft::MappedFile>;

constexpr std::uint64_t kMaxBytes = 1u << 22;

std::unique_ptr<Checkpoint> open_by(std::string_view reader, const Path& path) {
  const graft::CheckpointOptions options{.max_bytes = kMaxBytes};
  if (reader == "safetensors") return graft::open_safetensors(path);
  if (reader == "any") return graft::open_checkpoint(path, options);
  const auto file = std::make_shared<const graft::MappedFile>(path);
  if (reader == "torch_legacy") return graft::open_torch_legacy(path, file, options);
  if (reader == "torch_tar") return graft::open_torch_tar(path, file, options);
  if (reader == "npy") return graft::open_npy(path, file);
  if (reader == "caffe") return graft::open_caffe(path, file);
  if (reader == "onnx") return graft::open_onnx(path, file);
  const graft::ZipArchive archive(file->bytes(), kMaxBytes);
  if (reader == "npz") return graft::open_npz(path, file, archive);
  if (!graft::is_torch_zip(archive)) graft::damaged("no PyTorch file");
  return graft::open_torch_zip(path, file, archive, options);
}

void read_all(const Checkpoint& checkpoint, std::size_t file_bytes) {
  for (const graft::CheckpointTensor& tensor : checkpoint.tensors()) {
    // Nothing is larger than the file can hold; varints grow to eight bytes, deflate by its own factor.
    graft::fuzz::require(tensor.nbytes <= file_bytes * graft::kMaxInflation, "a tensor larger than its file");
    std::vector<std::byte> bytes(tensor.nbytes);
    try {
      if (const auto mapped = checkpoint.mapped(tensor)) {
        graft::fuzz::require(mapped->size() == tensor.nbytes, "mapped bytes of another size");
      }
      checkpoint.read(tensor, bytes);
    } catch (const graft::Error& error) {
      graft::fuzz::require(error.kind() == graft::ErrorKind::data, error.what());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  graft::fuzz::with_file({data, size}, [size](const Path& path) {
    graft::naming_file(path, "checkpoint", [&] { read_all(*open_by(GRAFT_FUZZ_READER, path), size); });
  });
  return 0;
}
