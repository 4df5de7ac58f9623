#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/shape.h"

namespace graft {

/// An array of unsigned bytes, as an idx file holds it.
struct IdxArray {
  Shape shape;
  std::vector<std::uint8_t> values;
};

/// Reads an idx file (yann.lecun.com/exdb/mnist) of unsigned bytes and the given rank, plain or gzip. The size that its
/// header declares is checked against what the file can hold before memory is taken. Throws Error(data) that names the
/// file, what is wrong with it and `remedy`.
IdxArray read_idx(const std::filesystem::path& path, int rank, const std::string& remedy);

}  // namespace graft
