#include "engine/io/format_fault.h"

namespace graft {

std::string printable(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string result;
  for (const char c : text.substr(0, kMost)) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text.size() > kMost ? result + "..." : result;
}

}  // namespace graft
