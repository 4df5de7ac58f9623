#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/dtype.h"

namespace graft {

/// One tensor of a checkpoint, named, typed and shaped as its file has it (a convolution's weight is OIHW).
struct CheckpointTensor {
  std::string name;
  std::string dtype;             ///< the format's own name: "F32", "float32", "<f4", "FLOAT"
  std::optional<DType> known{};  ///< the same where graft has it; such bytes can go through convert_elements
  std::vector<std::int64_t> shape{};
  std::uint64_t nbytes = 0;  ///< of the elements, contiguous and row-major
  std::string problem;       ///< why it cannot be read, or empty
  std::size_t index = 0;     ///< position in tensors()
};

/// Limits and choices of open_checkpoint.
struct CheckpointOptions {
  /// The most bytes that one compressed part of a file may declare.
  std::uint64_t max_bytes = std::uint64_t{8} << 30;
  /// The entry of a PyTorch file's outermost dict that holds the weights. Empty: the usual ones, in timm's order:
  /// state_dict_ema, model_ema, state_dict, model_state_dict, model, module, net, network; else the dict itself.
  std::string section{};
};

/// A file of tensors, mapped and checked on opening; nothing in it is ever executed, and data are touched only by
/// read(). Objects may be shared by threads. Every fault of the file is an Error(data), one line that names it.
class Checkpoint {
 public:
  virtual ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// All files that it reads: path() and, where that is an index, those it lists.
  const std::vector<std::filesystem::path>& files() const { return files_; }
  /// "safetensors", "pytorch zip", "pytorch legacy", "pytorch tar", "npz", "npy", "caffe" or "onnx".
  const std::string& format() const { return format_; }
  /// In the order of the file; no two have the same name.
  const std::vector<CheckpointTensor>& tensors() const { return tensors_; }
  /// The tensor named so, or nullptr.
  const CheckpointTensor* find(std::string_view name) const;
  /// What the file says of itself beside tensors, as text: safetensors' metadata; numbers and strings of a pickle.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// What a user should know, a line each: wrappers that were taken off, globals of a pickle that stayed opaque.
  const std::vector<std::string>& notes() const { return notes_; }

  /// Copies a tensor's elements, row-major and little-endian, into `destination` of exactly tensor.nbytes. Throws
  /// Error(data) if the file's part is damaged, or `tensor.problem` if there is one.
  void read(const CheckpointTensor& tensor, std::span<std::byte> destination) const;
  /// The same bytes where they lie so in the mapped file, valid while this object lives and aligned to nothing; nullopt
  /// where only read() can make them (compressed, strided, big-endian) or the tensor has a problem.
  std::optional<std::span<const std::byte>> mapped(const CheckpointTensor& tensor) const;

 protected:
  Checkpoint(std::filesystem::path path, std::string format);
  void add_file(std::filesystem::path file) { files_.push_back(std::move(file)); }
  /// Throws Error(data) for a name that is there already.
  void add(CheckpointTensor tensor);
  void add_note(std::string note) { notes_.push_back(std::move(note)); }
  void add_metadata(const std::string& key, std::string value) { metadata_.insert_or_assign(key, std::move(value)); }

  /// Both get the position in tensors() of one without a problem; `destination` has its size.
  virtual void read_tensor(std::size_t index, std::span<std::byte> destination) const = 0;
  virtual std::optional<std::span<const std::byte>> mapped_tensor(std::size_t index) const = 0;

 private:
  std::filesystem::path path_;
  std::string format_;
  std::vector<std::filesystem::path> files_;
  std::vector<CheckpointTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> positions_;
  std::map<std::string, std::string> metadata_;
  std::vector<std::string> notes_;
};

/// Opens a checkpoint of any format that graft reads; its bytes tell which, not its name: safetensors, PyTorch (zip,
/// legacy stream, tar), npz and npy, Caffe, ONNX. `path` may also be a folder as Hugging Face publishes them or the
/// *.index.json of one split over several files. Throws Error(data), one line that names the file and the remedy.
std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path, const CheckpointOptions& options = {});

}  // namespace graft
