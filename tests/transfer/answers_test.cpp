#include "transfer/answers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "engine/reference/reference_backend.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/half_data.h"

namespace graft::testing {
namespace {

/// What the backend itself counts in one row.
bool counted(Backend& backend, const std::vector<float>& logits, std::int64_t label) {
  const Tensor row = backend.empty({1, std::ssize(logits)}, DType::f32);
  const Tensor labels = backend.empty({1}, DType::i64);
  const Tensor count = backend.empty({1}, DType::i64);
  backend.copy_from_host(logits.data(), row);
  backend.copy_from_host(&label, labels);
  backend.count_correct(row, labels, 1, count);
  std::int64_t result = -1;
  backend.copy_to_host(count, &result);
  return result == 1;
}

TEST(Answers, TheLargestIsWhatTheBackendCounts) {
  const auto backend = make_reference_backend({});
  const RandomStream random{.seed = 5, .stream = 1};
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // Few values, so that many rows have ties, infinities and NaN.
  const std::vector<float> values{0.0F, -0.0F, 1.5F, -2.0F, kInfinity, -kInfinity, std::nanf("")};
  std::int64_t right = 0;
  for (std::uint64_t row = 0; row < 2000; ++row) {
    std::vector<float> logits(1 + random.word(row, 9) % 5);
    const bool with_nan = row % 3 == 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      logits[i] = values[random.word(row, i) % (values.size() - (with_nan ? 0 : 1))];
    }
    for (std::int64_t label = 0; label < std::ssize(logits); ++label) {
      EXPECT_EQ(is_largest(logits, label), counted(*backend, logits, label)) << "row " << row << " label " << label;
      right += is_largest(logits, label) ? 1 : 0;
    }
  }
  EXPECT_GT(right, 1000);
  EXPECT_FALSE(is_largest(std::vector<float>{1.0F}, -1));
  EXPECT_FALSE(is_largest(std::vector<float>{1.0F}, 1));
}

TEST(Answers, EveryImageInEveryBatchSizeAndHoweverManyAreReadBackTogether) {
  StudyBench bench({}, {});
  const auto network = bench.network();
  initialize(state_of(*network), 7, "base-target");
  const HalfData half = open_half(bench.environment().study, bench.environment().data, bench.find("base", 0));
  const DatasetPair& whole = bench.environment().data.target;
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < half.test->size(); ++i) labels.push_back(half.test->label(i));
  std::vector<bool> expected;
  Loader single(half.test, bench.backend(), {.batch_size = 1, .mean = whole.mean, .deviation = whole.deviation});
  single.start_epoch(0);
  while (const auto batch = single.next()) {
    const Tensor logits = network->forward(Variable(batch->items), {}).value();
    const Tensor count = bench.backend().empty({1}, DType::i64);
    bench.backend().count_correct(logits, batch->labels, 1, count);
    std::int64_t right = 0;
    bench.backend().copy_to_host(count, &right);
    expected.push_back(right == 1);
  }
  for (const std::int64_t batch_size : {1, 5, 18, 32}) {
    for (const std::int64_t rows : {1, 7, 1000}) {
      Loader loader(half.test, bench.backend(),
                    {.batch_size = batch_size, .pad_last = true, .mean = whole.mean, .deviation = whole.deviation});
      int calls = 0;
      const std::vector<bool> answers = right_answers(
          *network, bench.backend(), loader, labels,
          {.between = [&] { ++calls; }, .kept_bytes = rows * 3 * static_cast<std::int64_t>(sizeof(float))});
      EXPECT_EQ(answers, expected) << "batches of " << batch_size << ", " << rows << " rows together";
      EXPECT_EQ(calls, (half.test->size() + batch_size - 1) / batch_size);
    }
  }
  labels.pop_back();
  EXPECT_THROW(right_answers(*network, bench.backend(), single, labels), Error);
}

TEST(Answers, AreCountedByPart) {
  using Counts = std::vector<std::array<std::int64_t, 2>>;
  EXPECT_EQ(count_answers({true, false, true, true, false}, std::vector<std::int64_t>{2, 2, 0, -1, 2}, 4),
            (Counts{{1, 1}, {0, 0}, {1, 3}, {0, 0}}));
  EXPECT_EQ(count_answers({}, {}, 2), (Counts{{0, 0}, {0, 0}}));
  EXPECT_THROW(count_answers({true}, {}, 2), Error);
}

}  // namespace
}  // namespace graft::testing
