// PyTorch's three forms against files that PyTorch wrote (fixtures/make_fixtures.py says what is in them).
#include "tests/io/checkpoint_file.h"

namespace graft {
namespace {

using Names = std::vector<std::string>;
using Floats = std::vector<float>;
using Shape = std::vector<std::int64_t>;

class TorchCheckpointTest : public CheckpointFileTest {
 protected:
  static bool has_note(const Checkpoint& checkpoint, const std::string& part) {
    for (const std::string& note : checkpoint.notes()) {
      if (note.find(part) != std::string::npos) return true;
    }
    return false;
  }

  static void expect_state(const Checkpoint& file) {
    EXPECT_EQ(names(file), (Names{"whole", "transposed", "row", "half", "brain", "double", "scalar", "int32", "uint8",
                                  "bool", "empty", "repeated", "parameter", "sparse"}));
    Floats whole(24);
    for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = static_cast<float>(i);
    EXPECT_EQ(values<float>(file, "whole"), whole);
    EXPECT_EQ(file.find("whole")->shape, (Shape{2, 3, 4}));
    EXPECT_EQ(file.find("whole")->dtype, "float32");
    // [2, 3, 4] seen as [4, 3, 2]: a view of the same storage.
    Floats transposed;
    for (int k = 0; k < 4; ++k) {
      for (int j = 0; j < 3; ++j) {
        for (int i = 0; i < 2; ++i) transposed.push_back(static_cast<float>(12 * i + 4 * j + k));
      }
    }
    EXPECT_EQ(values<float>(file, "transposed"), transposed);
    EXPECT_FALSE(file.mapped(*file.find("transposed")));
    EXPECT_EQ(values<float>(file, "row"), (Floats{16, 17, 18, 19, 20, 21, 22, 23}));
    EXPECT_TRUE(file.mapped(*file.find("row")));
    EXPECT_EQ(values<std::uint16_t>(file, "half"), (std::vector<std::uint16_t>{0, 0x3c00, 0x4000}));
    EXPECT_EQ(file.find("half")->known, DType::f16);
    EXPECT_EQ(values<std::uint16_t>(file, "brain"), (std::vector<std::uint16_t>{0, 0x3f80, 0x4000}));
    EXPECT_EQ(file.find("brain")->known, DType::bf16);
    EXPECT_EQ(values<double>(file, "double"), (std::vector<double>{0, 1, 2}));
    EXPECT_EQ(values<std::int64_t>(file, "scalar"), (std::vector<std::int64_t>{7}));
    EXPECT_TRUE(file.find("scalar")->shape.empty());
    EXPECT_EQ(values<std::int32_t>(file, "int32"), (std::vector<std::int32_t>{0, 1, 2}));
    EXPECT_EQ(values<std::uint8_t>(file, "uint8"), (std::vector<std::uint8_t>{0, 1, 2}));
    EXPECT_EQ(values<char>(file, "bool"), (std::vector<char>{1, 0}));
    EXPECT_FALSE(file.find("bool")->known);
    EXPECT_EQ(file.find("empty")->shape, (Shape{0, 3}));
    EXPECT_TRUE(values<float>(file, "empty").empty());
    EXPECT_EQ(values<float>(file, "parameter"), (Floats{0, 1}));
  }

  static void expect_problem(const Checkpoint& file, const std::string& name, const std::string& reason) {
    const CheckpointTensor* tensor = file.find(name);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->nbytes, 0u);
    EXPECT_FALSE(file.mapped(*tensor));
    expect_error(ErrorKind::data, {file.path().string(), "'" + name + "'", reason}, [&] { file.read(*tensor, {}); });
  }

  static void expect_wrapped(const std::string& form) {
    const auto file = open_checkpoint(fixture("wrapped." + form + ".pth"));
    EXPECT_EQ(file->format(), "pytorch " + form);
    EXPECT_EQ(names(*file), (Names{"w"}));
    EXPECT_EQ(values<float>(*file, "w"), (Floats{10, 11})) << "the average of the weights, as timm takes it";
    EXPECT_EQ(file->metadata().at("epoch"), "3");
    EXPECT_EQ(file->metadata().at("arch"), "resnet");
    EXPECT_TRUE(has_note(*file, "'state_dict_ema' of epoch, arch, args, state_dict, state_dict_ema is read"));
    EXPECT_TRUE(has_note(*file, "'module.'"));
    EXPECT_TRUE(has_note(*file, "argparse.Namespace stayed opaque"));
    const auto other = open_checkpoint(fixture("wrapped." + form + ".pth"), {.section = "state_dict"});
    EXPECT_EQ(values<float>(*other, "w"), (Floats{0, 1}));
    expect_error(ErrorKind::data, {"no section 'ema'", "state_dict_ema", "--section"},
                 [&] { open_checkpoint(fixture("wrapped." + form + ".pth"), {.section = "ema"}); });
  }
};

TEST_F(TorchCheckpointTest, Zip) {
  const auto file = open_checkpoint(fixture("state.zip.pth"));
  EXPECT_EQ(file->format(), "pytorch zip");
  expect_state(*file);
  expect_problem(*file, "repeated", "repeats the elements of a smaller storage");
  expect_problem(*file, "sparse", "torch._utils._rebuild_sparse_tensor");
  EXPECT_TRUE(file->mapped(*file->find("whole")));
}

TEST_F(TorchCheckpointTest, LegacyStream) {
  const auto file = open_checkpoint(fixture("state.legacy.pth"));
  EXPECT_EQ(file->format(), "pytorch legacy");
  expect_state(*file);
  expect_problem(*file, "repeated", "repeats the elements of a smaller storage");
  expect_problem(*file, "sparse", "torch._utils._rebuild_sparse_tensor");
}

TEST_F(TorchCheckpointTest, Tar) {
  const auto file = open_checkpoint(fixture("state.tar.pth"));
  EXPECT_EQ(file->format(), "pytorch tar");
  EXPECT_EQ(names(*file), (Names{"transposed", "tail"}));
  EXPECT_EQ(values<float>(*file, "transposed"), (Floats{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values<float>(*file, "tail"), (Floats{3, 4})) << "element 1 of a view that starts at element 2";
}

TEST_F(TorchCheckpointTest, WrappersAndANamespace) {
  expect_wrapped("zip");
  expect_wrapped("legacy");
}

TEST_F(TorchCheckpointTest, ParametersAndBuffersOfAWholeModel) {
  const auto file = open_checkpoint(fixture("network.zip.pth"));
  EXPECT_EQ(names(*file),
            (Names{"0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"}));
  EXPECT_EQ(values<float>(*file, "0.weight"), (Floats{5, 5}));
  EXPECT_TRUE(has_note(*file, "torch.nn.modules.linear.Linear stayed opaque"));
}

TEST_F(TorchCheckpointTest, EveryTruncationIsRefused) {
  for (const char* name : {"state.zip.pth", "wrapped.legacy.pth", "state.tar.pth"}) {
    std::ifstream in(fixture(name), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    ASSERT_GT(bytes.size(), 500u);
    // A tar archive may end without its two empty blocks.
    const std::size_t last = std::string(name) == "state.tar.pth" ? bytes.size() - 1600 : bytes.size();
    for (std::size_t size = 0; size < last; size += size < 100 ? 3 : 61) {
      const auto path = write("cut", bytes.substr(0, size));
      EXPECT_THROW(open_checkpoint(path), Error) << name << " cut to " << size;
    }
  }
}

}  // namespace
}  // namespace graft
