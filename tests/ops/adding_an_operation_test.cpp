#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The files in the table of docs/adding-an-operation.md: rows that begin with a number.
std::set<std::string> files_on_the_page() {
  const std::string page = read(fs::path(GRAFT_SOURCE_DIR) / "docs/adding-an-operation.md");
  const std::regex row(R"(\n\| [0-9]+ \| `([^`]+)`)");
  std::set<std::string> files;
  for (std::sregex_iterator match(page.begin(), page.end(), row), end; match != end; ++match) files.insert((*match)[1]);
  return files;
}

// The files below engine/ and tests/ that know the page's example.
std::set<std::string> files_in_the_tree() {
  std::set<std::string> files;
  for (const char* folder : {"engine", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(GRAFT_SOURCE_DIR) / folder)) {
      const std::string name = fs::relative(entry.path(), GRAFT_SOURCE_DIR).generic_string();
      const bool is_source = name.ends_with(".h") || name.ends_with(".cpp") || name.ends_with("CMakeLists.txt");
      if (!is_source || name == "tests/ops/adding_an_operation_test.cpp") continue;
      if (read(entry.path()).find("subsample_pad") != std::string::npos) files.insert(name);
    }
  }
  return files;
}

TEST(AddingAnOperation, TouchesTheEightFilesThatThePageNames) {
  EXPECT_EQ(files_on_the_page().size(), 8u);
  EXPECT_EQ(files_on_the_page(), files_in_the_tree());
}

}  // namespace
}  // namespace graft::testing
