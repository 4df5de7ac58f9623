#include "engine/io/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/cpu/cpu_backend.h"
#include "engine/io/safetensors_file.h"
#include "engine/io/sha256.h"
#include "engine/reference/reference_backend.h"
#include "tests/io/temporary_folder.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

class SafetensorsTest : public ::testing::Test {
 protected:
  NamedVariable named(const std::string& name, const Shape& shape, DType dtype, std::uint64_t seed) {
    return {name, Variable(random_tensor(*backend_, shape, dtype, seed))};
  }
  NamedVariable counter(const std::string& name, double value) {
    return {name, Variable(from_host(*backend_, {}, DType::i64, {value}))};
  }
  NamedVariable blank(const std::string& name, const Shape& shape, DType dtype) {
    return {name, Variable(backend_->zeros(shape, dtype))};
  }
  /// A convolution, a bias, a counter and a bf16 matrix.
  std::vector<NamedVariable> state(std::uint64_t seed) {
    return {named("conv.weight", {3, 2, 4, 5}, DType::f32, seed), named("conv.bias", {3}, DType::f32, seed + 1),
            counter("bn.num_batches_tracked", 3.0 + static_cast<double>(seed)),
            named("fc.weight", {2, 7}, DType::bf16, seed + 2)};
  }
  std::unique_ptr<Backend> backend_ = make_cpu_backend({.threads = 1});
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "state.safetensors";
};

TEST_F(SafetensorsTest, GivesBackWhatWasSaved) {
  const auto saved = state(1);
  save_state(path_, saved, {{"model", "convnet6"}});
  const auto loaded = state(9);
  ASSERT_NE(hash_state(loaded), hash_state(saved));
  load_state(path_, loaded);
  EXPECT_EQ(hash_state(loaded), hash_state(saved));
  for (std::size_t i = 0; i < saved.size(); ++i) {
    EXPECT_EQ(to_host(loaded[i].variable.value()), to_host(saved[i].variable.value())) << saved[i].name;
  }
  EXPECT_EQ(read_metadata(path_), (std::map<std::string, std::string>{{"model", "convnet6"}}));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(SafetensorsTest, StoresPublicShapesAndLayouts) {
  const auto saved = state(1);
  save_state(path_, saved);
  const SafetensorsFile file(path_);
  const SafetensorsEntry& weight = *file.find("conv.weight");
  EXPECT_EQ(weight.shape, (std::vector<std::int64_t>{3, 5, 2, 4}));  // OIHW
  EXPECT_TRUE(file.find("bn.num_batches_tracked")->shape.empty());
  EXPECT_EQ(file.find("bn.num_batches_tracked")->dtype, "I64");
  EXPECT_EQ(file.find("fc.weight")->dtype, "BF16");
  const auto memory = to_host(saved[0].variable.value());
  const auto* disk = reinterpret_cast<const float*>(file.bytes(weight).data());
  const auto at = [](std::int64_t o, std::int64_t p, std::int64_t ps, std::int64_t i, std::int64_t is) {
    return static_cast<std::size_t>((o * ps + p) * is + i);
  };
  for (std::int64_t o = 0; o < 3; ++o) {
    for (std::int64_t hw = 0; hw < 8; ++hw) {
      for (std::int64_t i = 0; i < 5; ++i) {
        ASSERT_EQ(static_cast<double>(disk[at(o, i, 5, hw, 8)]), memory[at(o, hw, 8, i, 5)]);
      }
    }
  }
  for (const auto& [name, entry] : file.entries()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.bytes(entry).data()) % size_of(*entry.known), 0u) << name;
  }
}

TEST_F(SafetensorsTest, LoadsAnywhereAndConverts) {
  const auto saved = state(1);
  save_state(path_, saved);
  const auto reference = make_reference_backend({});
  const std::vector<NamedVariable> wide = {{"conv.weight", Variable(reference->zeros({3, 2, 4, 5}, DType::f64))},
                                           {"fc.weight", Variable(reference->zeros({2, 7}, DType::f32))}};
  load_state(path_, wide);
  EXPECT_EQ(to_host(wide[0].variable.value()), to_host(saved[0].variable.value()));
  EXPECT_EQ(to_host(wide[1].variable.value()), to_host(saved[3].variable.value()));
}

TEST_F(SafetensorsTest, TensorsOfManyPiecesComeBackWhole) {
  // Beyond a block of the file and a piece of a tensor, in rows that divide neither.
  const auto saved = std::vector<NamedVariable>{named("a.weight", {37, 3, 3, 1500}, DType::f32, 1),
                                                named("b.bias", {700'001}, DType::f32, 2),
                                                named("c.weight", {3, 150'001}, DType::bf16, 3)};
  save_state(path_, saved);
  const auto loaded =
      std::vector<NamedVariable>{blank("a.weight", {37, 3, 3, 1500}, DType::f32),
                                 blank("b.bias", {700'001}, DType::f32), blank("c.weight", {3, 150'001}, DType::bf16)};
  load_state(path_, loaded);
  EXPECT_EQ(hash_state(loaded), hash_state(saved));
  const auto file = open_checkpoint(path_);
  const SafetensorsFile bytes(path_);
  std::vector<std::byte> same;
  for_each_converted_piece(*file, *file->find("a.weight"), DType::f32,
                           [&](auto piece) { same.insert(same.end(), piece.begin(), piece.end()); });
  const auto stored = bytes.bytes(*bytes.find("a.weight"));
  EXPECT_TRUE(std::equal(same.begin(), same.end(), stored.begin(), stored.end()));
  std::vector<float> wide;
  for_each_converted_piece(*file, *file->find("c.weight"), DType::f32, [&](auto piece) {
    const auto* values = reinterpret_cast<const float*>(piece.data());
    wide.insert(wide.end(), values, values + piece.size() / sizeof(float));
  });
  const auto expected = to_host(saved[2].variable.value());
  EXPECT_TRUE(std::equal(wide.begin(), wide.end(), expected.begin(), expected.end()));
}

TEST_F(SafetensorsTest, DropsConvertedCopies) {
  if (!backend_->supports(DType::bf16)) backend_ = make_reference_backend({});
  const std::vector<NamedVariable> variables = {named("w", {4}, DType::f32, 1)};
  save_state(path_, variables);
  const std::vector<NamedVariable> other = {blank("w", {4}, DType::f32)};
  const auto before = to_host(other[0].variable.value_as(DType::bf16));
  load_state(path_, other);
  EXPECT_NE(to_host(other[0].variable.value_as(DType::bf16)), before);
}

TEST_F(SafetensorsTest, NamesTheTensorThatDoesNotFitAndChangesNothing) {
  save_state(path_, state(1));
  const auto expect_refused = [&](const NamedVariable& wrong, const std::vector<std::string>& parts) {
    const auto fitting = blank("conv.bias", {3}, DType::f32);
    std::vector<std::string> all = parts;
    all.push_back(path_.string());
    expect_error(ErrorKind::data, all, [&] { load_state(path_, {fitting, wrong}); });
    EXPECT_EQ(to_host(fitting.variable.value()), std::vector<double>(3, 0.0));
  };
  expect_refused(blank("conv2.weight", {3}, DType::f32), {"no tensor 'conv2.weight'", "[3]"});
  expect_refused(blank("conv.weight", {3, 4, 2, 5}, DType::f32), {"'conv.weight'", "[3, 5, 2, 4]", "[3, 5, 4, 2]"});
  expect_refused(blank("fc.weight", {7, 2}, DType::f32), {"'fc.weight'", "[2, 7]", "[7, 2]"});
  expect_refused(blank("bn.num_batches_tracked", {}, DType::f32), {"'bn.num_batches_tracked'", "I64", "f32"});
}

TEST_F(SafetensorsTest, RefusesANameTwice) {
  EXPECT_THROW(save_state(path_, {named("a", {1}, DType::f32, 1), named("a", {1}, DType::f32, 2)}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(SafetensorsTest, KeepsTheOldFileWhenTheDiskIsFull) {
  save_state(path_, state(1));
  const std::string before = sha256_file(path_);
  const int code = run_with_file_limit(4096, [&] {
    try {
      save_state(path_, {named("big.weight", {64, 64}, DType::f32, 1)});
    } catch (const Error& error) {
      return std::string(error.what()).find("state.safetensors: cannot write: file too large") == std::string::npos;
    }
    return true;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(sha256_file(path_), before);
}

TEST_F(SafetensorsTest, HashSeesNamesShapesDtypesAndBytes) {
  const std::string hash = hash_state({named("a", {2, 3}, DType::f32, 1)});
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(hash_state({named("a", {2, 3}, DType::f32, 1)}), hash);
  EXPECT_NE(hash_state({named("b", {2, 3}, DType::f32, 1)}), hash);
  EXPECT_NE(hash_state({named("a", {3, 2}, DType::f32, 1)}), hash);
  EXPECT_NE(hash_state({named("a", {2, 3}, DType::f32, 2)}), hash);
  EXPECT_NE(hash_state({named("a", {2, 3}, DType::bf16, 1)}), hash);
}

}  // namespace
}  // namespace graft::testing
