#include "engine/base/log.h"

namespace graft {

void log_line(const std::string& line) {
  const std::string whole = line + '\n';
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

}  // namespace graft
