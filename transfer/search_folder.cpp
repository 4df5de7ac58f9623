#include "transfer/search_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/folder_error.h"
#include "transfer/manifest.h"
#include "transfer/search_record.h"
#include "transfer/study_manifest.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

void write_study(const fs::path& file, const RunnerOptions& options, const Study& here) {
  if (!fs::exists(file) || !holds_search(file.parent_path())) return write_text_atomically(file, options.study_text);
  const std::string difference = first_difference(here, parse_study(read_text(file), file.string()));
  if (difference.empty()) return;
  fail(ErrorKind::data, "{}: holds the search of another study ({}); give another folder with --output",
       file.parent_path().string(), difference);
}

}  // namespace

SearchFolder::SearchFolder(fs::path path) : path_(std::move(path)) {
  make_output_folder(path_);
  lock_ = Descriptor(::open((path_ / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666));
  if (!lock_.is_open()) {
    const int reason = errno;
    fail(ErrorKind::failure, "{}: cannot write to the folder: {}; give another one with --output", path_.string(),
         system_reason(reason));
  }
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    fail(ErrorKind::failure, "{}: another process is at work in this folder; wait for it, or give another --output",
         path_.string());
  }
  if (fs::exists(path_ / "results.jsonl") && !holds_search(path_)) {
    fail(ErrorKind::data, "{}: holds the results of a study; give another folder with --output", path_.string());
  }
  remove_temporaries(path_);
}

void SearchFolder::begin(const RunnerOptions& options, const PreparedStudy& prepared) const {
  writing_to_folder([&] {
    write_study(path_ / "study.yaml", options, prepared.plan.study);
    Manifest manifest = begin_manifest(path_, options, describe_study(options, prepared));
    import_source(options, prepared, path_, manifest);
  });
}

}  // namespace graft
