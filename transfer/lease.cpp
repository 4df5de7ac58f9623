#include "transfer/lease.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/descriptor.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

const char* text_of(LeaseState state) {
  switch (state) {
    case LeaseState::held:
      return "held";
    case LeaseState::released:
      return "released";
    case LeaseState::recorded:
      return "recorded";
  }
  return "";
}

/// All texts of one lease have the same length: they are written over each other.
std::string text_of(const LeaseEntry& entry) {
  return fmt::format("process {}\nresults {}\nstate {:<8}\n", entry.process, entry.results, text_of(entry.state));
}

std::optional<LeaseEntry> parse_entry(const std::string& text) {
  std::istringstream lines(text);
  LeaseEntry entry;
  std::string line;
  const auto next = [&](std::string_view key) {
    const bool found = std::getline(lines, line) && !lines.eof() && line.starts_with(key);
    line = found ? line.substr(key.size()) : "";
    return found;
  };
  if (!next("process ")) return std::nullopt;
  entry.process = line;
  if (!next("results ")) return std::nullopt;
  entry.results = line;
  if (!next("state ")) return std::nullopt;
  while (line.ends_with(' ')) line.pop_back();
  for (const LeaseState known : {LeaseState::held, LeaseState::released, LeaseState::recorded}) {
    if (line != text_of(known)) continue;
    entry.state = known;
    return entry;
  }
  return std::nullopt;
}

/// NAME.GENERATION
std::optional<Lease> parse_file_name(const std::string& file) {
  const std::size_t dot = file.rfind('.');
  if (dot == std::string::npos || file.starts_with(kProcessPrefix)) return std::nullopt;
  Lease lease{.name = file.substr(0, dot)};
  const char* end = file.data() + file.size();
  const auto parsed = std::from_chars(file.data() + dot + 1, end, lease.generation);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(lease) : std::nullopt;
}

std::vector<Lease> leases_in(const fs::path& folder) {
  std::vector<Lease> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (const auto lease = parse_file_name(entry.path().filename().string())) found.push_back(*lease);
  }
  if (error) fail_system(ErrorKind::failure, folder, "read the folder", error.value());
  return found;
}

}  // namespace

LeaseFolder::LeaseFolder(fs::path folder, std::string process, ProcessWatch& watch, std::chrono::milliseconds silence)
    : folder_(std::move(folder)), process_(std::move(process)), watch_(watch), silence_(silence) {}

fs::path LeaseFolder::file_of(const Lease& lease) const {
  return folder_ / fmt::format("{}.{}", lease.name, lease.generation);
}

int LeaseFolder::newest(const std::string& name) const {
  int generation = 0;
  for (const Lease& lease : leases_in(folder_)) {
    if (lease.name == name) generation = std::max(generation, lease.generation);
  }
  return generation;
}

/// `taken` here means that the next generation may be created.
LeaseFolder::Answer LeaseFolder::occupied(const Lease& lease) {
  using Kind = Answer::Kind;
  const std::optional<std::string> text = read_if_there(file_of(lease));
  if (!text) return {.kind = Kind::busy};  // overtaken just now
  const std::optional<LeaseEntry> entry = parse_entry(*text);
  if (!entry) {
    return {.kind = empties_.silent(file_of(lease).string(), *text, silence_) ? Kind::taken : Kind::busy};
  }
  if (entry->state == LeaseState::recorded) return {.kind = Kind::recorded, .lease = {}, .entry = entry};
  const bool free = entry->state == LeaseState::released || watch_.look(entry->process).sign != Sign::alive;
  return {.kind = free ? Kind::taken : Kind::busy, .lease = {}, .entry = entry};
}

LeaseFolder::Answer LeaseFolder::take(const std::string& name) {
  using Kind = Answer::Kind;
  Answer answer{.kind = Kind::taken};
  Lease lease{.name = name, .generation = newest(name)};
  if (lease.generation > 0) answer = occupied(lease);
  if (answer.kind != Kind::taken) return answer;
  ++lease.generation;
  if (!create_exclusively(file_of(lease), text_of(LeaseEntry{process_, results_, LeaseState::held}))) {
    answer = occupied(lease);
    if (answer.kind == Kind::taken) answer.kind = Kind::busy;  // free again already: the next call takes it
    return answer;
  }
  for (const Lease& other : leases_in(folder_)) {
    std::error_code ignored;
    if (other.name != name || other.generation == lease.generation) continue;
    if (other.generation > lease.generation) {
      fs::remove(file_of(lease), ignored);
      return {.kind = Kind::busy};
    }
    fs::remove(file_of(other), ignored);
  }
  answer.lease = lease;
  return answer;
}

bool LeaseFolder::holds(const Lease& lease) const {
  const std::optional<std::string> text = read_if_there(file_of(lease));
  const std::optional<LeaseEntry> entry = text ? parse_entry(*text) : std::nullopt;
  return entry && entry->process == process_;
}

bool LeaseFolder::mark(const Lease& lease, LeaseState state) {
  return holds(lease) && overwrite(file_of(lease), text_of(LeaseEntry{process_, results_, state}));
}

void LeaseFolder::clear(const std::string& except) {
  for (const Lease& lease : leases_in(folder_)) {
    std::error_code ignored;
    if (lease.name != except) fs::remove(file_of(lease), ignored);
  }
}

}  // namespace graft
