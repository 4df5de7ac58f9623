#include "engine/io/checkpoint.h"

#include "tests/io/checkpoint_file.h"

namespace graft {
namespace {

using Names = std::vector<std::string>;

std::string safetensors(const std::string& header, const std::string& data) {
  return little<std::uint64_t>(header.size()) + header + data;
}

class CheckpointTest : public CheckpointFileTest {};

TEST_F(CheckpointTest, Safetensors) {
  const auto path = write("any.name", safetensors(R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                                  R"("a":{"dtype":"BOOL","shape":[],"data_offsets":[8,9]},)"
                                                  R"("__metadata__":{"format":"pt"}})",
                                                  little<float>({1.5f, -2.0f}) + '\1'));
  const auto checkpoint = open_checkpoint(path);
  EXPECT_EQ(checkpoint->format(), "safetensors");
  EXPECT_EQ(names(*checkpoint), (Names{"b", "a"}));
  EXPECT_EQ(checkpoint->find("b")->known, DType::f32);
  EXPECT_EQ(checkpoint->find("a")->dtype, "BOOL");
  EXPECT_FALSE(checkpoint->find("a")->known);
  EXPECT_EQ(checkpoint->find("c"), nullptr);
  EXPECT_EQ(values<float>(*checkpoint, "b"), (std::vector<float>{1.5f, -2.0f}));
  EXPECT_EQ(values<char>(*checkpoint, "a"), (std::vector<char>{1}));
  EXPECT_TRUE(checkpoint->mapped(*checkpoint->find("b")));
  EXPECT_EQ(checkpoint->metadata().at("format"), "pt");
  std::vector<std::byte> small(4);
  EXPECT_THROW(checkpoint->read(*checkpoint->find("b"), small), Error);
}

TEST_F(CheckpointTest, FilesThatPeopleHaveInPlaceOfACheckpoint) {
  expect_refused("", "no checkpoint of a known format; safetensors, PyTorch");
  expect_refused("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull");
  expect_refused("<!DOCTYPE html><html>", "web page");
  expect_refused("\x89HDF\r\n\x1a\n", "HDF5");
  expect_error(ErrorKind::data, {"nowhere", "cannot open"}, [&] { open_checkpoint(folder_ / "nowhere"); });
  expect_error(ErrorKind::data, {folder_.path().string(), "no model.safetensors"},
               [&] { open_checkpoint(folder_.path()); });
}

class ShardedTest : public CheckpointFileTest {
 protected:
  void SetUp() override {
    write("one", safetensors(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xy"));
    write("two", safetensors(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"k":"v"}})", "z"));
  }
  void expect_bad_index(const std::string& text, const std::string& reason) const {
    const auto path = write("bad.json", text);
    expect_error(ErrorKind::data, {path.string(), reason}, [&] { open_checkpoint(path); });
  }
};

TEST_F(ShardedTest, TensorsOfAllFiles) {
  write("model.safetensors.index.json", R"({"metadata":{"total_size":3},"weight_map":{"a":"one","b":"two"}})");
  const auto checkpoint = open_checkpoint(folder_.path());
  EXPECT_EQ(checkpoint->path(), folder_ / "model.safetensors.index.json");
  EXPECT_EQ(checkpoint->format(), "safetensors");
  EXPECT_EQ(names(*checkpoint), (Names{"a", "b"}));
  EXPECT_EQ(values<char>(*checkpoint, "a"), (std::vector<char>{'x', 'y'}));
  EXPECT_EQ(values<char>(*checkpoint, "b"), (std::vector<char>{'z'}));
  EXPECT_EQ(checkpoint->metadata().at("k"), "v");
  EXPECT_EQ(checkpoint->notes().back(), "split over 2 files");
  EXPECT_EQ(checkpoint->files(),
            (std::vector<std::filesystem::path>{checkpoint->path(), folder_ / "one", folder_ / "two"}));
}

TEST_F(ShardedTest, RefusesIndexesThatDoNotFitTheirFiles) {
  expect_bad_index("{}", "weight_map");
  expect_bad_index("[]", "no JSON object");
  expect_bad_index(R"({"weight_map":{}})", "empty");
  expect_bad_index(R"({"weight_map":{"a":1}})", "'a' is no file name");
  expect_bad_index(R"({"weight_map":{"a":"one","a":"two"}})", "names 'a' twice");
  expect_bad_index(R"({"weight_map":{"a":"one","b":"one"}})", "one has no tensor 'b'");
  expect_bad_index(R"({"weight_map":{"b":"two","c":"one"}})", "one has a tensor 'a' that the index does not lay there");
  expect_bad_index(R"({"weight_map":{"a":"bad.json"}})", "another index");
  for (const char* name : {"../one", "/etc/passwd", "..", "", "x/../one", "one\\u0000"}) {
    expect_bad_index(std::string(R"({"weight_map":{"a":")") + name + "\"}}", "index's own folder");
  }
  const auto missing = write("bad.json", R"({"weight_map":{"a":"three"}})");
  expect_error(ErrorKind::data, {"three", "cannot open"}, [&] { open_checkpoint(missing); });
}

}  // namespace
}  // namespace graft
