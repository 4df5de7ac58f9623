#include "engine/io/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "engine/io/atomic_file.h"
#include "tests/io/temporary_folder.h"

namespace graft {
namespace {

int files_in(const std::filesystem::path& folder) {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

void write_plainly(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Exit code 0 iff `action` throws Error(failure) that names `file` and says that the file cannot grow.
int expect_full(const std::string& file, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string text = error.what();
    const bool named = text.find(file) != std::string::npos && text.find("file too large") != std::string::npos;
    return named && error.kind() == ErrorKind::failure ? 0 : 2;
  }
  return 1;
}

TEST(MappedFile, ShowsTheBytes) {
  const TemporaryFolder folder;
  write_plainly(folder / "f", std::string("ab\0c", 4));
  const MappedFile file(folder / "f");
  ASSERT_EQ(file.bytes().size(), 4u);
  EXPECT_EQ(std::to_integer<char>(file.bytes()[3]), 'c');
  write_plainly(folder / "empty", "");
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
}

TEST(MappedFile, NamesWhatCannotBeRead) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::data, {"absent", "no such file or directory"}, [&] { MappedFile(folder / "absent"); });
  expect_error(ErrorKind::data, {folder.path().string(), "is a directory"}, [&] { MappedFile(folder.path()); });
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_error(ErrorKind::data, {"pipe", "not a regular file"}, [&] { MappedFile(folder / "pipe"); });
}

TEST(ReadText, ReadsWholeFiles) {
  const TemporaryFolder folder;
  const std::string text(200'000, 'x');
  write_plainly(folder / "f", text);
  EXPECT_EQ(read_text(folder / "f"), text);
  expect_error(ErrorKind::data, {"absent"}, [&] { read_text(folder / "absent"); });
}

TEST(WriteFileAtomically, ReplacesAndLeavesNothingElse) {
  const TemporaryFolder folder;
  write_text_atomically(folder / "f", "first");
  write_text_atomically(folder / "f", "second");
  EXPECT_EQ(read_text(folder / "f"), "second");
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  write_text_atomically(folder / "f", "old");
  const int code = run_with_file_limit(
      1000, [&] { return expect_full("f", [&] { write_text_atomically(folder / "f", std::string(5000, 'x')); }); });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(read_text(folder / "f"), "old");
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(WriteFileAtomically, NamesAFolderThatCannotBeWritten) {
  // Permission bits do not stop root; a parent that is a file and a kernel-made folder stop everyone.
  const TemporaryFolder folder;
  write_plainly(folder / "file", "");
  expect_error(ErrorKind::failure, {"file/f", "not a directory"},
               [&] { write_text_atomically(folder / "file" / "f", "text"); });
  expect_error(ErrorKind::failure, {"/proc/f: cannot write: "}, [&] { write_text_atomically("/proc/f", "text"); });
  expect_error(ErrorKind::failure, {"absent/f", "no such file or directory"},
               [&] { write_text_atomically(folder / "absent" / "f", "text"); });
}

TEST(WriteFileAtomically, NamesAReadOnlyFolder) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "locked");
  ASSERT_EQ(::chmod((folder / "locked").c_str(), 0555), 0);
  // root may write everywhere, so the child becomes nobody.
  const int code = run_with_file_limit(1000, [&] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) return 3;
    try {
      write_text_atomically(folder / "locked" / "f", "text");
    } catch (const Error& error) {
      return std::string(error.what()).find("locked/f: cannot write: permission denied") == std::string::npos ? 2 : 0;
    }
    return 1;
  });
  EXPECT_EQ(code, 0);
}

TEST(AtomicFile, WithoutCommitLeavesNothing) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "f");
    const std::string text = "some";
    file.write(std::as_bytes(std::span(text)));
    EXPECT_EQ(files_in(folder.path()), 1);
  }
  EXPECT_EQ(files_in(folder.path()), 0);
}

TEST(AtomicFile, TemporariesOfKilledWritersCanBeRemoved) {
  const TemporaryFolder folder;
  run_with_file_limit(1000, [&]() -> int {
    AtomicFile file(folder / "f");
    std::_Exit(7);  // as a kill: no destructor runs
  });
  EXPECT_EQ(files_in(folder.path()), 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "f"));
  write_text_atomically(folder / "f", "whole");
  EXPECT_EQ(remove_temporaries(folder.path()), 1);
  EXPECT_EQ(files_in(folder.path()), 1);
  EXPECT_EQ(read_text(folder / "f"), "whole");
}

TEST(LineAppender, AppendsWholeLines) {
  const TemporaryFolder folder;
  {
    LineAppender lines(folder / "f");
    lines.append("one");
    lines.append("");
    EXPECT_FALSE(lines.repaired());
  }
  LineAppender again(folder / "f");
  again.append("two");
  EXPECT_FALSE(again.repaired());
  EXPECT_EQ(read_text(folder / "f"), "one\n\ntwo\n");
  EXPECT_THROW(again.append("a\nb"), Error);
}

TEST(LineAppender, CutsOffATornLastLine) {
  const TemporaryFolder folder;
  // Longer than one block of the backward search, and a file that is nothing but a torn line.
  for (const std::string& torn : {std::string("{\"id\": 3"), std::string(10'000, 'x'), std::string(4096, 'y')}) {
    for (const std::string& whole : {std::string("one\ntwo\n"), std::string()}) {
      write_plainly(folder / "f", whole + torn);
      LineAppender lines(folder / "f");
      EXPECT_TRUE(lines.repaired());
      EXPECT_EQ(read_text(folder / "f"), whole);
      lines.append("next");
      EXPECT_EQ(read_text(folder / "f"), whole + "next\n");
    }
  }
}

TEST(LineAppender, CutsOffWhatAnotherProcessLeftLater) {
  const TemporaryFolder folder;
  LineAppender lines(folder / "f");
  lines.append("one");
  std::ofstream(folder / "f", std::ios::app) << "torn";
  lines.append("two");
  EXPECT_EQ(read_text(folder / "f"), "one\ntwo\n");
}

TEST(LineAppender, TakesBackALineThatDoesNotFit) {
  const TemporaryFolder folder;
  const int code = run_with_file_limit(1000, [&] {
    LineAppender lines(folder / "f");
    lines.append("fits");
    const int full = expect_full("f", [&] { lines.append(std::string(5000, 'x')); });
    lines.append("fits again");
    return full;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(read_text(folder / "f"), "fits\nfits again\n");
}

TEST(LineAppender, NamesAFileThatCannotBeWritten) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::failure, {folder.path().string(), "is a directory"}, [&] { LineAppender(folder.path()); });
  expect_error(ErrorKind::failure, {"/proc/f", "cannot write"}, [&] { LineAppender("/proc/f"); });
}

}  // namespace
}  // namespace graft
