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

// The page's example: its test, and what of the engine knows it. Other tests may use it too, as models do.
std::set<std::string> files_in_the_tree() {
  std::set<std::string> files{"tests/ops/subsample_pad_test.cpp"};
  for (const char* folder : {"engine", "cuda"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(GRAFT_SOURCE_DIR) / folder)) {
      if (!entry.is_regular_file() || read(entry.path()).find("subsample_pad") == std::string::npos) continue;
      files.insert(fs::relative(entry.path(), GRAFT_SOURCE_DIR).generic_string());
    }
  }
  return files;
}

TEST(AddingAnOperation, TouchesTheFilesThatThePageNames) {
  EXPECT_EQ(files_on_the_page().size(), 10u);
  EXPECT_EQ(files_on_the_page(), files_in_the_tree());
}

}  // namespace
}  // namespace graft::testing
