#include "transfer/heartbeat.h"

#include <fmt/format.h>

#include <random>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "transfer/lease_file.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

constexpr int kBeatsInSilence = 12;

const char* text_of(ProcessState state) {
  switch (state) {
    case ProcessState::starting:
      return "starting";
    case ProcessState::working:
      return "working";
    case ProcessState::ending:
      return "ending";
  }
  return "";
}

/// A host's name may hold anything; a file's name shall be easy to type.
std::string file_part(const std::string& label) {
  std::string part;
  for (const char c : label) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
    part += plain ? c : '_';
  }
  return part.empty() ? "process" : part;
}

}  // namespace

std::string text_of(const ProcessSign& sign) {
  return fmt::format("host {}\nboot {}\npids {}\npid {}\nstart {}\nsilence_ms {}\nstate {:<8}\nbeat {:020}\n",
                     sign.identity.host, sign.identity.boot, sign.identity.pids, sign.identity.pid, sign.identity.start,
                     sign.silence.count(), text_of(sign.state), sign.beat);
}

std::optional<ProcessSign> parse_process_sign(const std::string& text) {
  if (text.empty() || text.back() != '\n') return std::nullopt;
  std::istringstream lines(text);
  ProcessSign sign;
  std::int64_t silence = 0;
  std::string state;
  const auto value = [&](const std::string& key) -> std::istringstream {
    std::string line;
    std::getline(lines, line);
    return std::istringstream(line.rfind(key + " ", 0) == 0 ? line.substr(key.size() + 1) : "");
  };
  std::getline(value("host"), sign.identity.host);
  std::getline(value("boot"), sign.identity.boot);
  std::getline(value("pids"), sign.identity.pids);
  const bool whole = (value("pid") >> sign.identity.pid) && (value("start") >> sign.identity.start) &&
                     (value("silence_ms") >> silence) && (value("state") >> state) && (value("beat") >> sign.beat);
  if (!whole || silence <= 0) return std::nullopt;
  sign.silence = std::chrono::milliseconds(silence);
  for (const ProcessState known : {ProcessState::starting, ProcessState::working, ProcessState::ending}) {
    if (state != text_of(known)) continue;
    sign.state = known;
    return sign;
  }
  return std::nullopt;
}

fs::path process_file(const fs::path& leases, const std::string& name) { return leases / (kProcessPrefix + name); }

Heartbeat::Heartbeat(fs::path folder, const std::string& label, std::chrono::milliseconds silence) {
  check(silence.count() > 0, "[heartbeat] a silence of {} ms", silence.count());
  sign_.identity = this_process();
  sign_.silence = silence;
  std::random_device random;
  do {
    name_ = fmt::format("{}-{:08x}", file_part(label), static_cast<std::uint32_t>(random()));
    file_ = process_file(folder, name_);
  } while (!create_exclusively(file_, text_of(sign_)));
  thread_ = std::jthread([this](const std::stop_token& stop) { beat_until(stop); });
}

Heartbeat::~Heartbeat() {
  thread_.request_stop();
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::error_code ignored;
  fs::remove(file_, ignored);
}

void Heartbeat::set_state(ProcessState state) {
  const std::scoped_lock lock(mutex_);
  sign_.state = state;
  beat_locked();
}

bool Heartbeat::stands() const { return read_if_there(file_).has_value(); }

void Heartbeat::on_beat(std::function<void()> action) {
  const std::scoped_lock lock(mutex_);
  action_ = std::move(action);
}

void Heartbeat::beat_locked() {
  ++sign_.beat;
  overwrite(file_, text_of(sign_));
}

void Heartbeat::beat_until(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, stop, sign_.silence / kBeatsInSilence, [&] { return stop.stop_requested(); })) {
    try {
      beat_locked();
    } catch (const Error&) {  // a beat that a disk or network refuses is followed by others
    }
    if (action_) action_();
  }
}

}  // namespace graft
