#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/tools/study_folder_fixture.h"

// `graft inspect` as people call it, on files that PyTorch and NumPy wrote (tests/io/fixtures) and on bad ones.
namespace graft::testing {
namespace {

using Json = nlohmann::json;

constexpr int kData = 3;

class Inspect : public StudyFolderTest {
 protected:
  static std::string fixture(const std::string& name) {
    return (std::filesystem::path(GRAFT_SOURCE_DIR) / "tests/io/fixtures" / name).string();
  }
  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name).string();
  }
};

TEST_F(Inspect, OneLineATensorAndWhatAUserShouldKnow) {
  const ProcessResult result = run_graft({"inspect", fixture("state.zip.pth")});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_TRUE(result.error.empty()) << result.error;
  const std::vector<std::string> lines = lines_of(result.out);
  ASSERT_GT(lines.size(), 15u);
  EXPECT_TRUE(lines[0].starts_with("tensor "));
  EXPECT_NE(lines[1].find("[2, 3, 4]"), std::string::npos) << lines[1];
  EXPECT_NE(result.out.find("pytorch zip, 14 tensors"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("note: repeated: it repeats the elements"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("sha256"), std::string::npos);
}

TEST_F(Inspect, JsonAndHash) {
  const ProcessResult result = run_graft({"inspect", fixture("wrapped.legacy.pth"), "--json", "--hash"});
  ASSERT_EQ(result.code, 0) << result.error;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json.at("format"), "pytorch legacy");
  EXPECT_EQ(json.at("tensors"), Json::parse(R"([{"name": "w", "dtype": "float32", "shape": [2], "bytes": 8}])"));
  EXPECT_EQ(json.at("elements"), 2);
  EXPECT_EQ(json.at("metadata").at("epoch"), "3");
  EXPECT_EQ(json.at("notes").size(), 3u);
  const ProcessResult section = run_graft({"inspect", fixture("wrapped.legacy.pth"), "--section", "nothing"});
  expect_one_line(section, kData, {"wrapped.legacy.pth", "no section 'nothing'", "state_dict"});
}

TEST_F(Inspect, HashIsThatOfTheFile) {
  // SHA-256 of the 10 bytes {} after a header length of 2 (sha256sum of coreutils).
  const std::string path = file("f.safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10));
  const Json json = Json::parse(run_graft({"inspect", path, "--json", "--hash"}).out);
  EXPECT_EQ(json.at("sha256").at(path), "411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd");
}

TEST_F(Inspect, NamesDoNotReachTheTerminalAsTheyAre) {
  const std::string header = R"({"a\u001b[2Jb":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  const ProcessResult result = run_graft({"inspect", file("f", bytes + header)});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_NE(result.out.find("a?[2Jb"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
}

TEST_F(Inspect, BadFilesEndInOneLine) {
  const auto expect_bad = [](const std::string& file, const std::vector<std::string>& parts) {
    std::vector<std::string> all = parts;
    all.push_back(file);
    for (const char* flag : {"--json", "--hash"}) expect_one_line(run_graft({"inspect", file, flag}), kData, all);
  };
  expect_bad(path("nowhere").string(), {"cannot open"});
  expect_bad(file("text", "hello\n"), {"no checkpoint of a known format"});
  expect_bad(file("page", "<html>"), {"web page"});
  const std::string attack = "\x80\x02" + std::string("cposix\nsystem\nX\x05") + std::string(3, '\0') + "touch\x85R.";
  expect_bad(file("attack.pth", attack), {"posix.system", "runs code", "nothing in it was run"});
  expect_bad(file("length.safetensors", std::string(8, '\xff') + "{}"), {"at most 100000000"});
  std::ifstream whole(fixture("deflated.npz"), std::ios::binary);
  const std::string npz((std::istreambuf_iterator<char>(whole)), std::istreambuf_iterator<char>());
  expect_bad(file("cut.npz", npz.substr(0, npz.size() / 2)), {"truncated"});
  const std::string deflated = fixture("deflated.npz");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"inspect", deflated},
        {"import", deflated, "--model", "convnet6", "-o", path("imported.safetensors").string()},
        {"predict", "--model", "convnet6", "--pretrained", deflated, "image.png"},
        {"train", "--model", "convnet6", "--pretrained", deflated, "--output", path("run").string()},
        {"train", "--model", "convnet6", "--dataset", "npz", "--data-dir", deflated, "--output", path("npz").string()},
        {"eval", "--model", "convnet6", "--pretrained", deflated},
        {"compare", "--model", "convnet6", deflated, deflated}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--max-bytes", "100"});
    expect_one_line(run_graft(arguments), kData, {"deflated.npz", "declares", "raise --max-bytes"});
  }
}

}  // namespace
}  // namespace graft::testing
