#include "transfer/process_watch.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

namespace graft {

namespace fs = std::filesystem;

ProcessWatch::ProcessWatch(fs::path folder, std::string self, std::chrono::milliseconds silence)
    : folder_(std::move(folder)), self_(std::move(self)), silence_(silence) {}

ProcessWatch::Neighbour ProcessWatch::look(const std::string& name) {
  if (name == self_) return {.name = name, .says = {}, .sign = Sign::alive};
  const std::optional<std::string> text = read_if_there(process_file(folder_, name));
  if (!text) {
    silences_.forget(name);
    return {.name = name, .says = {}, .sign = Sign::ended};
  }
  Neighbour neighbour{.name = name, .says = parse_process_sign(*text), .sign = Sign::alive};
  const bool silent = silences_.silent(name, *text, neighbour.says ? neighbour.says->silence : silence_);
  if (neighbour.says && certainly_dead(neighbour.says->identity)) {
    neighbour.sign = Sign::dead;
  } else if (silent) {
    neighbour.sign = Sign::silent;
  }
  return neighbour;
}

std::vector<ProcessWatch::Neighbour> ProcessWatch::look_at_all() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kProcessPrefix)) names.push_back(name.substr(std::string_view(kProcessPrefix).size()));
  }
  std::sort(names.begin(), names.end());
  std::vector<Neighbour> neighbours;
  for (const std::string& name : names) {
    if (name == self_) continue;
    Neighbour neighbour = look(name);
    if (neighbour.sign != Sign::ended) neighbours.push_back(std::move(neighbour));
  }
  return neighbours;
}

}  // namespace graft
