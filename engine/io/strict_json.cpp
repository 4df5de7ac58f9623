#include "engine/io/strict_json.h"

#include <set>
#include <string>
#include <vector>

#include "engine/io/format_fault.h"

namespace graft {
namespace {

using Json = nlohmann::json;

/// nlohmann's parser keeps the last of two equal keys and follows any depth, so the text is watched as it is read.
class Watch {
 public:
  Watch(int max_depth, std::string_view what) : max_depth_(max_depth), what_(what) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= max_depth_) damaged("{} is nested too deep", what_);
    }
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (!keys_.back().insert(key).second) damaged("{} names '{}' twice", what_, printable(key));
    }
    return true;
  }

 private:
  int max_depth_;
  std::string_view what_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Json parse_strict_json(std::string_view text, int max_depth, std::string_view what) {
  if (text.empty() || text.front() != '{') damaged("{} is no JSON object", what);
  try {
    Watch watch(max_depth, what);
    return Json::parse(
        text, [&watch](int depth, Json::parse_event_t event, Json& parsed) { return watch(depth, event, parsed); });
  } catch (const Json::exception& error) {
    damaged("{} is no JSON: {}", what, printable(error.what()));
  }
}

}  // namespace graft
