// Device code: compiled for the emulated device alone.
#ifdef GRAFT_CUDA_EMULATED
#include "cuda/kernels/device/tile_product.cuh"

#include <cmath>
#include <set>

#include "cuda/kernels/device/matrix_loader.cuh"
#include "cuda/kernels/device/mma_epilogue.cuh"
#include "tests/cuda/emulator/kernel_run.h"
#include "tests/cuda/kernels/exact_values.h"

namespace graft::cuda::testing {

namespace {

constexpr int kBlockM = 64;
constexpr int kBlockN = 128;
constexpr int kDepths = 2;

/// c [64, 128] = op(a) op(b) over two depths of tiles, by one block of four warps.
template <class T, Major MajorA, Major MajorB>
__global__ void product_kernel(const T* a, const T* b, float* c, int k) {
  using Product = TileProduct<T, kBlockM, kBlockN, 2, 2>;
  using TileA = SharedTile<T, kBlockM, MajorA>;
  using TileB = SharedTile<T, kBlockN, MajorB>;
  auto* shared = dynamic_shared<unsigned char>();
  const TileA tile_a{shared};
  const TileB tile_b{shared + TileA::kBytes};
  MatrixLoader<T, kBlockM, MajorA, Product::kThreads> load_a({a, MajorA == Major::k ? k : kBlockM, kBlockM}, 0, 0, k);
  MatrixLoader<T, kBlockN, MajorB, Product::kThreads> load_b({b, MajorB == Major::k ? k : kBlockN, kBlockN}, 0, 0, k);
  Product product;
  for (int depth = 0; depth < kDepths; ++depth) {
    load_a.load(tile_a);
    load_b.load(tile_b);
    copy_async_commit();
    copy_async_wait<0>();
    __syncthreads();
    product.multiply_accumulate(tile_a, tile_b);
    __syncthreads();
  }
  product.for_each_pair([&](int row, int column, float x, float y) {
    c[row * kBlockN + column] = x;
    c[row * kBlockN + column + 1] = y;
  });
}

struct Factors {
  std::vector<double> a;  // [64, k] or, with M along the rows, [k, 64]
  std::vector<double> b;
};

template <class T, Major MajorA, Major MajorB>
std::vector<float> product_of(const Factors& factors, int k, const emulator::ThreadOrder& order) {
  const Stream stream = open_stream(order);
  ExactArray<T> a(stream, factors.a);
  ExactArray<T> b(stream, factors.b);
  ExactArray<float> c(stream, kBlockM * kBlockN);
  launch(stream, {.kernel = "product", .grid = 1, .block = 128, .shared_bytes = (kBlockM + kBlockN) * kRowBytes},
         product_kernel<T, MajorA, MajorB>, a.data(), b.data(), c.data(), k);
  return c.values(stream);
}

double at(const std::vector<double>& values, Major major, int mn, int k, int extent, int depth) {
  return values[static_cast<std::size_t>(major == Major::k ? mn * depth + k : k * extent + mn)];
}

template <class T, Major MajorA, Major MajorB>
void expect_plain_product() {
  const int k = kDepths * kRowElements<T>;
  const Factors factors{exact_values(kBlockM * k, 1), exact_values(kBlockN * k, 2)};
  std::vector<double> expected;
  for (int m = 0; m < kBlockM; ++m) {
    for (int n = 0; n < kBlockN; ++n) {
      double sum = 0.0;
      for (int i = 0; i < k; ++i)
        sum += at(factors.a, MajorA, m, i, kBlockM, k) * at(factors.b, MajorB, n, i, kBlockN, k);
      expected.push_back(sum);
    }
  }
  for (const auto& order : thread_orders())
    expect_exact<float>("c", product_of<T, MajorA, MajorB>(factors, k, order), expected);
}

template <class T>
void expect_plain_products() {
  expect_plain_product<T, Major::k, Major::k>();
  expect_plain_product<T, Major::k, Major::mn>();
  expect_plain_product<T, Major::mn, Major::k>();
  expect_plain_product<T, Major::mn, Major::mn>();
}

TEST(TileProduct, IsThePlainProductOfBf16InAllLayouts) { expect_plain_products<bf16>(); }
TEST(TileProduct, IsThePlainProductOfTf32InAllLayouts) { expect_plain_products<float>(); }

TEST(TileProduct, RoundsF32ToTf32HalvesAwayFromZero) {
  // 1 + 2^-11 is half way between 1 and 1 + 2^-10; 1 + 2^-12 is nearer to 1.
  const int k = kDepths * kRowElements<float>;
  Factors factors{std::vector<double>(static_cast<std::size_t>(kBlockM * k)),
                  std::vector<double>(static_cast<std::size_t>(kBlockN * k))};
  const double inputs[] = {1.0 + 0x1p-11, -1.0 - 0x1p-11, 1.0 + 0x1p-12, 1.0 + 0x1p-11 - 0x1p-23, 3.0};
  const float rounded[] = {1.0f + 0x1p-10f, -1.0f - 0x1p-10f, 1.0f, 1.0f, 3.0f};
  for (std::size_t row = 0; row < 5; ++row) factors.a[row * static_cast<std::size_t>(k)] = inputs[row];
  factors.b[0] = 1.0;
  const std::vector<float> c = product_of<float, Major::k, Major::k>(factors, k, {});
  for (std::size_t row = 0; row < 5; ++row) EXPECT_EQ(c[row * kBlockN], rounded[row]) << row;
}

TEST(TileProduct, NansAndInfinitiesStay) {
  const int k = kDepths * kRowElements<float>;
  Factors factors{std::vector<double>(static_cast<std::size_t>(kBlockM * k)),
                  std::vector<double>(static_cast<std::size_t>(kBlockN * k), 1.0)};
  factors.a[0] = std::nan("");
  factors.a[static_cast<std::size_t>(k)] = HUGE_VAL;
  const std::vector<float> c = product_of<float, Major::k, Major::k>(factors, k, {});
  EXPECT_TRUE(std::isnan(c[0]));
  EXPECT_EQ(c[kBlockN], HUGE_VALF);
  EXPECT_EQ(c[2 * kBlockN], 0.0f);
}

struct Place {
  int element;
  int depth;
};

template <class T, int ElementBit>
std::vector<Place> places_of(int lane) {
  std::vector<Place> places;
  emulator::StripLayout<T, ElementBit>::for_each(lane, [&](int, int element, int depth) {
    places.push_back({element, depth});
  });
  return places;
}

// The PTX ISA's tables "Matrix fragments for mma.m16n8k16" (.bf16) and "... mma.m16n8k8" (.tf32), for one instruction.
TEST(TileFragments, AreThoseOfThePtxIsa) {
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane >> 2;
    const int in_group = lane % 4;
    const std::vector<Place> a16 = places_of<bf16, 0>(lane);
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(a16[static_cast<std::size_t>(i)].element, i < 2 || (i >= 4 && i < 6) ? group : group + 8);
      EXPECT_EQ(a16[static_cast<std::size_t>(i)].depth, in_group * 2 + (i & 1) + (i >= 4 ? 8 : 0));
    }
    const std::vector<Place> b16 = places_of<bf16, 1>(lane);
    for (int i = 0; i < 8; ++i) {  // two instructions' B, side by side
      EXPECT_EQ(b16[static_cast<std::size_t>(i)].element, group + i / 4 * 8);
      EXPECT_EQ(b16[static_cast<std::size_t>(i)].depth, in_group * 2 + (i & 1) + (i % 4 >= 2 ? 8 : 0));
    }
    const std::vector<Place> a8 = places_of<float, 0>(lane);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(a8[static_cast<std::size_t>(i)].element, i == 0 || i == 2 ? group : group + 8);
      EXPECT_EQ(a8[static_cast<std::size_t>(i)].depth, i < 2 ? in_group : in_group + 4);
    }
    const std::vector<Place> b8 = places_of<float, 1>(lane);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(b8[static_cast<std::size_t>(i)].element, group + i / 2 * 8);
      EXPECT_EQ(b8[static_cast<std::size_t>(i)].depth, in_group + i % 2 * 4);
    }
  }
}

/// Shared memory has 32 banks of 4 bytes; accesses of 16 bytes are served eight lanes at a time.
int bank_of(int offset) { return offset / 4 % 32; }

template <class Tile>
void expect_rows_in_different_banks() {
  for (int first = 0; first < Tile::kRows; first += 8) {
    for (int chunk = 0; chunk < kRowChunks; ++chunk) {
      std::set<int> banks;
      for (int row = first; row < first + 8; ++row) banks.insert(bank_of(Tile::offset(row, chunk)));
      EXPECT_EQ(banks.size(), 8u) << "row " << first << ", chunk " << chunk;
    }
  }
}

TEST(SharedTile, LdmatrixMeetsEveryBankOnce) {
  expect_rows_in_different_banks<SharedTile<bf16, 128, Major::k>>();
  expect_rows_in_different_banks<SharedTile<bf16, 128, Major::mn>>();
  expect_rows_in_different_banks<SharedTile<float, 64, Major::k>>();
}

TEST(SharedTile, WordReadsOfF32MeetEveryBankOnce) {
  alignas(128) static unsigned char memory[128 * kRowBytes];
  const SharedTile<float, 128, Major::mn> tile{memory};
  for (int first = 0; first < 128; first += 8) {
    for (int k = 0; k < 32; k += 4) {
      std::set<int> banks;
      for (int lane = 0; lane < 32; ++lane) {
        const auto* word = reinterpret_cast<const unsigned char*>(tile.element(first + lane / 4, k + lane % 4));
        banks.insert(bank_of(static_cast<int>(word - memory)));
      }
      EXPECT_EQ(banks.size(), 32u) << first << ", " << k;
    }
  }
}

/// What for_each_pair hands to a warp's lanes at once, stored as results are staged: 128 bytes are served at a time.
template <class Config, class Out>
void expect_pairs_in_different_banks() {
  constexpr int kAtOnce = 128 / (2 * static_cast<int>(sizeof(Out)));
  for (int first = 0; first < 32; first += kAtOnce) {
    std::set<int> banks;
    for (int lane = first; lane < first + kAtOnce; ++lane) {
      const int element = lane / 4 * StagedTile<Config, Out>::kPitch + lane % 4 * 2;
      for (int byte = 0; byte < 2 * static_cast<int>(sizeof(Out)); byte += 4)
        banks.insert(bank_of(element * static_cast<int>(sizeof(Out)) + byte));
    }
    EXPECT_EQ(banks.size(), 32u) << "from lane " << first;
  }
}

TEST(StagedTile, PairsMeetEveryBankOnce) {
  expect_pairs_in_different_banks<Mma128x128<bf16>, bf16>();
  expect_pairs_in_different_banks<Mma64x64<bf16>, bf16>();
  expect_pairs_in_different_banks<Mma128x128<bf16>, float>();
  expect_pairs_in_different_banks<Mma128x64<float>, float>();
  expect_pairs_in_different_banks<Mma64x64<float>, float>();
}

TEST(SharedTile, EveryElementHasAPlaceOfItsOwn) {
  alignas(128) static unsigned char memory[128 * kRowBytes];
  const SharedTile<bf16, 128, Major::mn> tile{memory};
  std::set<const void*> places;
  for (int mn = 0; mn < 128; ++mn) {
    for (int k = 0; k < 64; ++k) places.insert(tile.element(mn, k));
  }
  EXPECT_EQ(places.size(), 128u * 64u);
  EXPECT_EQ(*places.begin(), memory);
  EXPECT_EQ(*places.rbegin(), memory + sizeof(memory) - 2);
}

}  // namespace

}  // namespace graft::cuda::testing
#endif
