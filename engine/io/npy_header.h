#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/dtype.h"

namespace graft {

/// What a .npy file says of its array before the elements.
struct NpyHeader {
  std::string descr;           ///< NumPy's description of the element type: "<f4"
  std::uint64_t element = 0;   ///< bytes of one
  std::optional<DType> known;  ///< the type where graft has it
  bool big_endian = false;
  bool fortran_order = false;  ///< the first index runs fastest
  std::vector<std::int64_t> shape;
  std::uint64_t nbytes = 0;
  std::string problem;    ///< why the elements cannot be read (Python objects, text, records), or empty
  std::size_t begin = 0;  ///< where the elements start
};

/// Reads a header of format version 1, 2 or 3 through `take`, which gives the next bytes of the file and may reuse its
/// buffer. FormatFault for what is none.
NpyHeader read_npy_header(const std::function<std::span<const std::byte>(std::size_t)>& take);

}  // namespace graft
