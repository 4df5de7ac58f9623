#include "cuda/ladder/row_reduction/ladder.h"

#include "tests/cuda/kernels/exact_values.h"
#include "tests/cuda/streams.h"

namespace graft::cuda::testing {

namespace {

struct Extents {
  std::int64_t rows;
  std::int64_t channels;
};

std::vector<double> sums_of(const Extents& e, const std::vector<double>& x) {
  std::vector<double> sums(static_cast<std::size_t>(e.channels));
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % sums.size()] += x[i];
  return sums;
}

}  // namespace

TEST(RowLadder, EveryStepIsExactInEveryThreadOrder) {
  for (const Extents& e : {Extents{1, 4}, Extents{0, 8}, Extents{3000, 4}, Extents{700, 24}, Extents{129, 300}}) {
    SCOPED_TRACE(std::to_string(e.rows) + " rows of " + std::to_string(e.channels) + " channels");
    const std::vector<double> values = exact_values(e.rows * e.channels, 1);
    const std::vector<double> expected = sums_of(e, values);
    for_each_stream([&](const Stream& stream) {
      ExactArray<float> x(stream, values);
      ExactArray<float> workspace(stream, static_cast<std::int64_t>(kRowLadderWorkspaceBytes / sizeof(float)));
      for (const NamedRowStep& step : kRowLadder) {
        ExactArray<float> y(stream, e.channels);
        step.run(stream, {x.data(), e.rows, e.channels, y.data(), workspace.data()});
        expect_exact<float>(step.name, y.values(stream), expected);
      }
    });
  }
}

}  // namespace graft::cuda::testing
