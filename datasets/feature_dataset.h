#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "engine/io/atomic_file.h"
#include "engine/tensor/tensor.h"

namespace graft {

/// Writes features batch by batch: a safetensors file of one tensor "features" [count, ...item_shape], f32 or bf16. It
/// appears under its name when it is whole. Throws Error(failure) naming the file and the system's reason.
class FeatureWriter {
 public:
  FeatureWriter(const std::filesystem::path& path, const Shape& item_shape, DType dtype, std::int64_t count);

  /// The first `rows` rows of a batch [>= rows, ...item_shape] on any backend.
  void append(const Tensor& batch, std::int64_t rows);
  /// Names the file. Throws Error if other than `count` rows were given.
  void commit();

 private:
  Shape item_shape_;
  DType dtype_;
  std::int64_t count_;
  std::int64_t written_ = 0;
  std::vector<std::byte> host_;
  AtomicFile file_;
};

/// Features read from such a file, mapped and immutable, with the labels of the data set they were made from.
/// Throws Error(data) naming the file if it is damaged or has another number of rows.
DatasetPtr open_features(const std::filesystem::path& path, DatasetPtr labels);

}  // namespace graft
