#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace graft {

/// True iff the bytes start like a tar archive (POSIX ustar, as GNU and Python write it too).
bool is_tar(std::span<const std::byte> bytes);

/// The regular files of a tar archive by name, as they lie in it. Nothing is ever extracted to a disk; still an archive
/// with links, devices, absolute names, ".." or one name twice is refused. Faults are FormatFaults.
std::map<std::string, std::span<const std::byte>> read_tar(std::span<const std::byte> bytes);

}  // namespace graft
