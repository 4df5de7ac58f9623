// Loaded into a graft process by LD_PRELOAD (tests/tools/interrupted_write_test.cpp): counts the calls that change
// files below a folder and disturbs one of them.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

enum class Kind { none, kill, power_loss, error, trickle };

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

Kind kind_named(const std::string& name) {
  if (name == "kill") return Kind::kill;
  if (name == "power_loss") return Kind::power_loss;
  if (name == "error") return Kind::error;
  return name == "trickle" ? Kind::trickle : Kind::none;
}

std::string absolute(const char* path) {
  if (path[0] == '/') return path;
  std::string folder(4096, '\0');
  if (getcwd(folder.data(), folder.size()) == nullptr) return path;
  return std::string(folder.c_str()) + '/' + path;
}

std::string path_of(int descriptor) {
  std::string path(4096, '\0');
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(link.c_str(), path.data(), path.size());
  return path.substr(0, size < 0 ? 0 : static_cast<std::size_t>(size));
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// What a power failure takes back: contents that were not synced, and names that were given in a folder since its last
/// sync.
class Unsynced {
 public:
  void wrote(int descriptor) {
    if (find(descriptor) == files_.end())
      files_.push_back({identity(descriptor), fcntl(descriptor, F_DUPFD_CLOEXEC, 0)});
  }
  void synced(int descriptor) {
    const auto file = find(descriptor);
    if (file == files_.end()) return;
    close(file->descriptor);
    files_.erase(file);
  }
  void created(const std::string& path) { names_.push_back({.path = path, .from = "", .old = ""}); }
  /// Called before the rename.
  void renaming(const std::string& from, const std::string& to, const std::string& undo_folder) {
    Name name{.path = to, .from = from, .old = ""};
    if (access(to.c_str(), F_OK) == 0) {
      name.old = undo_folder + "/" + std::to_string(undone_++);
      static_cast<void>(link(to.c_str(), name.old.c_str()));
    }
    names_.push_back(name);
  }
  void folder_synced(const std::string& folder) {
    std::erase_if(names_, [&](const Name& name) { return folder_of(name.path) == folder; });
  }
  void lose() {
    for (const File& file : files_) {
      struct stat status {};
      fstat(file.descriptor, &status);
      static_cast<void>(ftruncate(file.descriptor, status.st_size / 2));
    }
    static const auto real_rename = next<int(const char*, const char*)>("rename");
    for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
      if (name->from.empty()) {
        unlink(name->path.c_str());
        continue;
      }
      real_rename(name->path.c_str(), name->from.c_str());
      if (!name->old.empty()) real_rename(name->old.c_str(), name->path.c_str());
    }
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;
  struct File {
    Identity identity;
    int descriptor;
  };
  struct Name {
    std::string path;
    std::string from;  ///< empty: the file was created
    std::string old;   ///< link to what had the name before, if anything
  };

  static Identity identity(int descriptor) {
    struct stat status {};
    fstat(descriptor, &status);
    return {status.st_dev, status.st_ino};
  }
  std::vector<File>::iterator find(int descriptor) {
    const Identity wanted = identity(descriptor);
    return std::find_if(files_.begin(), files_.end(), [&](const File& file) { return file.identity == wanted; });
  }

  std::vector<File> files_;
  std::vector<Name> names_;
  int undone_ = 0;
};

class Faults {
 public:
  bool concerns(const std::string& path) const {
    return !folder_.empty() && (path == folder_ || path.starts_with(folder_ + "/"));
  }
  /// Counts a call and logs it; true iff it is the one to disturb.
  bool count(const char* call, const std::string& path) {
    const std::string line = std::string(call) + " " + path + "\n";
    static_cast<void>(real_write(log_, line.data(), line.size()));
    return ++calls_ == at_;
  }
  [[noreturn]] void end() {
    if (kind_ == Kind::power_loss) unsynced_.lose();
    raise(SIGKILL);
    std::abort();
  }
  /// True iff the disturbed call is to fail; a process that is to die dies here.
  bool fails(const char* call, const std::string& path) {
    if (!count(call, path)) return false;
    if (kind_ == Kind::kill || kind_ == Kind::power_loss) end();
    return kind_ == Kind::error;
  }
  Kind kind() const { return kind_; }
  Unsynced& unsynced() { return unsynced_; }
  const std::string& undo_folder() const { return undo_; }
  bool full = false;         ///< the disk, since a write that was cut short
  bool interrupted = false;  ///< the last write, by a signal

  static ssize_t real_write(int descriptor, const void* bytes, std::size_t size) {
    static const auto real = next<ssize_t(int, const void*, std::size_t)>("write");
    return real(descriptor, bytes, size);
  }
  static Faults& instance() {
    static auto* faults = new Faults;  // never destroyed: files may be written while the process ends
    return *faults;
  }

 private:
  std::string folder_ = variable("GRAFT_FAULT_FOLDER");
  std::string undo_ = variable("GRAFT_FAULT_UNDO");
  Kind kind_ = kind_named(variable("GRAFT_FAULT_KIND"));
  long at_ = std::atol(variable("GRAFT_FAULT_AT").c_str());
  long calls_ = 0;
  int log_ =
      next<int(const char*, int, ...)>("open")(variable("GRAFT_FAULT_LOG").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  Unsynced unsynced_;
};

int fail_with(int error_number) {
  errno = error_number;
  return -1;
}

int opened(const std::string& path, int flags, int descriptor) {
  if (descriptor >= 0 && (flags & O_CREAT) != 0) Faults::instance().unsynced().created(path);
  return descriptor;
}

int sync(int descriptor, const char* call) {
  Faults& faults = Faults::instance();
  const std::string path = path_of(descriptor);
  const bool concerned = faults.concerns(path);
  if (concerned && faults.fails(call, path)) return fail_with(EIO);
  const int result = next<int(int)>(call)(descriptor);
  if (concerned && result == 0) {
    faults.unsynced().synced(descriptor);
    faults.unsynced().folder_synced(path);
  }
  return result;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = static_cast<mode_t>(va_arg(arguments, int));
    va_end(arguments);
  }
  Faults& faults = Faults::instance();
  const std::string whole = absolute(path);
  const bool changes = (flags & O_CREAT) != 0 && faults.concerns(whole);
  if (changes && faults.fails("open", whole)) return fail_with(ENOSPC);
  const int descriptor = next<int(const char*, int, ...)>("open")(path, flags, mode);
  return changes ? opened(whole, flags, descriptor) : descriptor;
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  Faults& faults = Faults::instance();
  const std::string path = path_of(descriptor);
  if (!faults.concerns(path)) return Faults::real_write(descriptor, bytes, size);
  const bool disturbed = faults.count("write", path);
  faults.unsynced().wrote(descriptor);
  if (faults.full) return fail_with(ENOSPC);
  if (faults.kind() == Kind::trickle && !faults.interrupted) {
    faults.interrupted = true;
    return fail_with(EINTR);
  }
  faults.interrupted = false;
  const bool cut = disturbed || (faults.kind() == Kind::trickle && size > 1);
  const ssize_t written = Faults::real_write(descriptor, bytes, cut ? size / 2 : size);
  if (disturbed && (faults.kind() == Kind::kill || faults.kind() == Kind::power_loss)) faults.end();
  faults.full = disturbed && faults.kind() == Kind::error;
  return written;
}

int fsync(int descriptor) { return sync(descriptor, "fsync"); }
int fdatasync(int descriptor) { return sync(descriptor, "fdatasync"); }

int rename(const char* from, const char* to) {
  Faults& faults = Faults::instance();
  const std::string whole = absolute(to);
  if (!faults.concerns(whole)) return next<int(const char*, const char*)>("rename")(from, to);
  if (faults.fails("rename", whole)) return fail_with(EIO);
  if (faults.kind() == Kind::power_loss) faults.unsynced().renaming(absolute(from), whole, faults.undo_folder());
  return next<int(const char*, const char*)>("rename")(from, to);
}

int ftruncate(int descriptor, off_t size) noexcept {
  Faults& faults = Faults::instance();
  const std::string path = path_of(descriptor);
  if (faults.concerns(path) && faults.fails("ftruncate", path)) return fail_with(EIO);
  return next<int(int, off_t)>("ftruncate")(descriptor, size);
}

}  // extern "C"
