#include <algorithm>
#include <array>

#include "engine/base/error.h"
#include "engine/io/byte_cursor.h"
#include "engine/io/checkpoint.h"
#include "engine/io/checkpoint_readers.h"
#include "engine/io/file.h"
#include "engine/io/format_fault.h"
#include "engine/io/tar_archive.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

/// The file within a folder that holds or lists the weights. The names are Hugging Face's.
fs::path weights_in(const fs::path& folder) {
  constexpr std::array kNames = {"model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json",
                                 "pytorch_model.bin", "diffusion_pytorch_model.safetensors"};
  for (const char* name : kNames) {
    std::error_code ignored;
    if (fs::exists(folder / name, ignored)) return folder / name;
  }
  fail(ErrorKind::data,
       "{}: the folder holds no model.safetensors, no pytorch_model.bin and no index of such; give the file",
       folder.string());
}

bool looks_like_safetensors(std::string_view bytes) { return bytes.size() > 8 && bytes[8] == '{'; }

/// Files that people have in place of a checkpoint.
[[noreturn]] void refuse(std::string_view bytes) {
  if (bytes.starts_with("version https://git-lfs")) {
    refused("fetch the file itself: git lfs pull", "is a Git LFS pointer, not the file");
  }
  if (bytes.starts_with("<")) refused("fetch the file itself", "is a web page, not a checkpoint");
  if (bytes.starts_with("\x89HDF\r\n"))
    refused("write it as safetensors", "is an HDF5 file, which graft does not read");
  refused("safetensors, PyTorch .pth, npz, Caffe .caffemodel and ONNX are read", "is no checkpoint of a known format");
}

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\3\4") || bytes.starts_with("PK\5\6"); }

bool is_pickle(std::string_view bytes) { return bytes.size() > 1 && bytes[0] == '\x80' && bytes[1] <= 5; }

/// What a damaged file of this kind is no valid one of.
std::string_view noun(std::string_view bytes) {
  if (is_zip(bytes)) return "zip";
  if (is_pickle(bytes)) return "PyTorch";
  if (is_tar(std::as_bytes(std::span(bytes)))) return "PyTorch tar";
  return "checkpoint";
}

std::unique_ptr<Checkpoint> open_by_bytes(const fs::path& path, const std::shared_ptr<const MappedFile>& file,
                                          const CheckpointOptions& options) {
  const std::string_view bytes = as_text(file->bytes());
  if (is_zip(bytes)) {
    const ZipArchive archive(file->bytes(), options.max_bytes);
    if (is_torch_zip(archive)) {
      return naming_file(path, "PyTorch", [&] { return open_torch_zip(path, file, archive, options); });
    }
    if (is_npz(archive)) return open_npz(path, file, archive);
    refused("give a file written by torch.save or numpy.savez", "is a zip archive, but neither PyTorch's nor NumPy's");
  }
  if (is_pickle(bytes)) return open_torch_legacy(path, file, options);
  if (is_npy(file->bytes())) return open_npy(path, file);
  if (is_tar(file->bytes())) return open_torch_tar(path, file, options);
  if (looks_like_safetensors(bytes) || path.extension() == ".safetensors") return open_safetensors(path);
  const ProtobufKind kind = protobuf_kind(file->bytes());
  if (kind == ProtobufKind::caffe || path.extension() == ".caffemodel") return open_caffe(path, file);
  if (kind == ProtobufKind::onnx || path.extension() == ".onnx") return open_onnx(path, file);
  refuse(bytes);
}

}  // namespace

std::unique_ptr<Checkpoint> open_checkpoint(const fs::path& path, const CheckpointOptions& options) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return open_checkpoint(weights_in(path), options);
  if (path.extension() == ".json") return open_sharded(path, options);
  const auto file = std::make_shared<const MappedFile>(path);
  file->read_ahead(false);
  auto checkpoint = naming_file(path, noun(as_text(file->bytes())), [&] { return open_by_bytes(path, file, options); });
  file->read_ahead(true);
  return checkpoint;
}

}  // namespace graft
