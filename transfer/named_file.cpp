#include "transfer/named_file.h"

namespace graft {

namespace fs = std::filesystem;

fs::path beside(const fs::path& given, const fs::path& study_file) {
  return study_file.parent_path() / given.filename();
}

fs::path find_named_file(const fs::path& given, const fs::path& study_file) {
  for (const fs::path& place : {given, study_file.parent_path() / given, beside(given, study_file)}) {
    if (fs::exists(place)) return place;
  }
  return {};
}

}  // namespace graft
