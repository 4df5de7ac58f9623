#pragma once

#include <filesystem>
#include <memory>

#include "engine/io/checkpoint.h"
#include "engine/io/file.h"
#include "engine/io/zip_archive.h"

// The readers behind open_checkpoint, one a format. Each throws FormatFault or an Error(data) that names the file.
namespace graft {

std::unique_ptr<Checkpoint> open_safetensors(const std::filesystem::path& path);
/// An index.json (huggingface.co/docs/safetensors, "Sharded"): a JSON object whose "weight_map" gives the file, in the
/// same folder, of each tensor.
std::unique_ptr<Checkpoint> open_sharded(const std::filesystem::path& index, const CheckpointOptions& options);

/// True iff a zip archive is one that torch.save wrote.
bool is_torch_zip(const ZipArchive& archive);
/// torch.save's form since PyTorch 1.6: a zip archive of the pickle "data.pkl" and of one entry a storage, "data/KEY".
std::unique_ptr<Checkpoint> open_torch_zip(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                           const ZipArchive& archive, const CheckpointOptions& options);
/// torch.save's form from 2017 to PyTorch 1.5: five pickles, then the storages as a stream.
std::unique_ptr<Checkpoint> open_torch_legacy(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                              const CheckpointOptions& options);
/// torch.save's form before 0.1.11 (2017): a tar archive of "pickle", "tensors" and "storages".
std::unique_ptr<Checkpoint> open_torch_tar(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                           const CheckpointOptions& options);

/// A .npy file (numpy.org/doc/stable/reference/generated/numpy.lib.format.html): one tensor, named as the file is.
std::unique_ptr<Checkpoint> open_npy(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file);
/// A .npz file: a zip archive of .npy files; "NAME.npy" is the tensor NAME.
std::unique_ptr<Checkpoint> open_npz(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                     const ZipArchive& archive);
/// True iff these bytes are a .npy file's / every entry of the archive is called one.
bool is_npy(std::span<const std::byte> bytes);
bool is_npz(const ZipArchive& archive);

/// Protobuf messages have no mark; what the outermost one's fields are tells them apart.
enum class ProtobufKind { none, caffe, onnx };
ProtobufKind protobuf_kind(std::span<const std::byte> bytes);
/// A .caffemodel (Caffe's NetParameter, all generations of its layers): the I-th blob of a layer is the tensor
/// "LAYER/I", as pycaffe's net.params[LAYER][I]. Blobs of old files have four extents: a bias is [1, 1, 1, N].
std::unique_ptr<Checkpoint> open_caffe(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file);
/// The initialisers of an ONNX model's graph. One whose data lie in another file is listed with a problem.
std::unique_ptr<Checkpoint> open_onnx(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file);

}  // namespace graft
