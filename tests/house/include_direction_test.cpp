// The floors of the house: a folder includes headers only of its own and of floors below it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Folder and floor, as in docs/architecture.md; tests and benchmarks may look at everything.
const std::vector<std::pair<std::string, int>> kFloors = {
    {"engine/base", 0}, {"engine/tensor", 1},   {"engine/backend", 2}, {"engine/reference", 3}, {"engine/cpu", 3},
    {"cuda", 3},        {"engine/autograd", 4}, {"engine/ops", 5},     {"engine/nn", 6},        {"engine/optim", 6},
    {"engine/io", 6},   {"models", 7},          {"datasets", 7},       {"transfer", 8},         {"tools", 9},
    {"tests", 10},      {"bench", 10},
};

std::optional<std::pair<std::string, int>> floor_of(const std::string& path) {
  for (const auto& [folder, floor] : kFloors) {
    if (path.rfind(folder + "/", 0) == 0) return std::pair{folder, floor};
  }
  return std::nullopt;
}

// What is wrong with `from` including `included`, or "".
std::string violation(const std::string& from, const std::string& included) {
  const auto mine = floor_of(from);
  const auto theirs = floor_of(included);
  if (!theirs) return from + " includes \"" + included + "\", which lies on no floor";
  if (!mine || theirs->first == mine->first || theirs->second < mine->second) return "";
  return from + " (floor " + std::to_string(mine->second) + ") includes " + included + " (floor " +
         std::to_string(theirs->second) + ")";
}

std::vector<std::string> violations_in(const std::string& from, std::istream& text) {
  static const std::regex quoted(R"re(^\s*#\s*include\s*"([^"]+)")re");
  // A build with GRAFT_CUDA=OFF has neither the toolkit nor Boost, of which the emulator takes its fibers.
  static const std::regex with_cuda(R"re(^\s*#\s*include\s*<(cuda|cublas|cudnn|nccl|boost)[^>]*>)re");
  std::vector<std::string> found;
  std::string line;
  while (std::getline(text, line)) {
    std::smatch match;
    if (std::regex_search(line, match, quoted)) {
      if (std::string wrong = violation(from, match[1]); !wrong.empty()) found.push_back(wrong);
    }
    if (std::regex_search(line, match, with_cuda) && from.rfind("cuda/", 0) != 0)
      found.push_back(from + " includes a header that only builds with CUDA or its emulator have: " + line);
  }
  return found;
}

bool is_source(const fs::path& path) {
  const std::string suffix = path.extension().string();
  return suffix == ".h" || suffix == ".cpp" || suffix == ".cu" || suffix == ".cuh";
}

TEST(IncludeDirection, NoFileLooksUpOrSideways) {
  const fs::path root = GRAFT_SOURCE_DIR;
  int files = 0;
  for (const char* top : {"engine", "cuda", "models", "datasets", "transfer", "tools", "tests", "bench"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      std::ifstream text(entry.path());
      for (const std::string& wrong : violations_in(fs::relative(entry.path(), root).generic_string(), text))
        ADD_FAILURE() << wrong;
      ++files;
    }
  }
  EXPECT_GT(files, 100);
}

std::vector<std::string> check_line(const std::string& from, const std::string& line) {
  std::istringstream text(line);
  return violations_in(from, text);
}

TEST(IncludeDirection, PlantedViolationsAreFound) {
  EXPECT_EQ(check_line("engine/base/x.cpp", "#include \"engine/tensor/tensor.h\"").size(), 1u);
  EXPECT_EQ(check_line("engine/cpu/x.cpp", "#include \"engine/reference/reference_backend.h\"").size(), 1u);
  EXPECT_EQ(check_line("models/x.cpp", "#  include \"datasets/dataset.h\"").size(), 1u);
  EXPECT_EQ(check_line("datasets/x.cpp", "#include \"models/backbone.h\"").size(), 1u);
  EXPECT_EQ(check_line("engine/nn/x.cpp", "#include \"engine/optim/optimizer.h\"").size(), 1u);
  EXPECT_EQ(check_line("transfer/x.cpp", "#include <cuda_runtime.h>").size(), 1u);
  EXPECT_EQ(check_line("transfer/x.cpp", "#include <boost/math/distributions/normal.hpp>").size(), 1u);
  EXPECT_TRUE(check_line("cuda/emulator/x.cpp", "#include <boost/context/fiber.hpp>").empty());
  EXPECT_EQ(check_line("engine/ops/x.cpp", "#include \"shape.h\"").size(), 1u);
  EXPECT_TRUE(check_line("transfer/x.cpp", "#include \"models/backbone.h\"").empty());
}

}  // namespace
