#include "transfer/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/comparison_alignment.h"
#include "transfer/evaluation.h"

namespace graft::testing {
namespace {

using Matrix = std::vector<double>;

Matrix normals(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  const RandomStream random{.seed = seed, .stream = 1};
  Matrix values;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const auto words = random.words(0, static_cast<std::uint64_t>(i));
    values.push_back(normal_pair(words[0], words[1])[0]);
  }
  return values;
}

Matrix gram(const Matrix& x, std::int64_t rows) {
  const auto n = static_cast<std::size_t>(rows);
  const std::size_t width = x.size() / n;
  Matrix k(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t c = 0; c < width; ++c) k[i * n + j] += x[i * width + c] * x[j * width + c];
    }
  }
  return k;
}

/// HSIC_1 by its definition as a U-statistic: over ordered quadruples of distinct items the mean of
/// k_ij (l_ij + l_qr - 2 l_iq) (Gretton et al. 2005; Song et al. 2012, equation 4).
double hsic_by_quadruples(const Matrix& k, const Matrix& l, std::size_t n) {
  double sum = 0.0;
  double count = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t q = 0; q < n; ++q) {
        for (std::size_t r = 0; r < n; ++r) {
          if (i == j || i == q || i == r || j == q || j == r || q == r) continue;
          sum += k[i * n + j] * (l[i * n + j] + l[q * n + r] - 2.0 * l[i * n + q]);
          count += 1.0;
        }
      }
    }
  }
  return sum / count;
}

double cka_of(const Matrix& x, const Matrix& y, std::int64_t n) {
  MinibatchCka cka;
  cka.add(gram(x, n), gram(y, n), n);
  return *cka.value();
}

TEST(UnbiasedHsic, IsTheMeanOverQuadruples) {
  for (const std::int64_t n : {4, 5, 9}) {
    const Matrix k = gram(normals(n, 3, 1), n);
    const Matrix l = gram(normals(n, 6, 2), n);
    const double expected = hsic_by_quadruples(k, l, static_cast<std::size_t>(n));
    EXPECT_NEAR(unbiased_hsic(k, l, n), expected, 1e-12 * (1.0 + std::abs(expected))) << n;
  }
  EXPECT_THROW(unbiased_hsic(Matrix(9), Matrix(9), 3), Error);
}

TEST(UnbiasedHsic, DoesNotSeeAMeanOfTheFeatures) {
  Matrix x = normals(8, 3, 1);
  const Matrix l = gram(normals(8, 4, 2), 8);
  const double before = unbiased_hsic(gram(x, 8), l, 8);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += i % 3 == 0 ? 5.0 : -2.0;
  EXPECT_NEAR(unbiased_hsic(gram(x, 8), l, 8), before, 1e-10);
}

TEST(MinibatchCka, OfRotatedFeaturesIsOne) {
  const Matrix x = normals(20, 2, 3);
  Matrix y;
  for (std::size_t i = 0; i < 20; ++i) {
    y.push_back(3.0 * (0.6 * x[2 * i] - 0.8 * x[2 * i + 1]));
    y.push_back(3.0 * (0.8 * x[2 * i] + 0.6 * x[2 * i + 1]));
  }
  EXPECT_NEAR(cka_of(x, y, 20), 1.0, 1e-12);
}

/// The biased estimator would say about width / (width + n): 0.83 here.
TEST(MinibatchCka, OfIndependentFeaturesIsNearZeroOverSmallBatches) {
  MinibatchCka cka;
  for (std::uint64_t batch = 0; batch < 400; ++batch) {
    cka.add(gram(normals(8, 40, 2 * batch), 8), gram(normals(8, 40, 2 * batch + 1), 8), 8);
  }
  EXPECT_EQ(cka.batches(), 400);
  EXPECT_NEAR(*cka.value(), 0.0, 0.05);
}

TEST(MinibatchCka, SaysNothingOfFeaturesThatDoNotVary) {
  MinibatchCka cka;
  EXPECT_FALSE(cka.value().has_value());
  cka.add(Matrix(16), gram(normals(4, 2, 1), 4), 4);
  EXPECT_FALSE(cka.value().has_value());
}

TEST(Churn, CountsAndMidP) {
  Churn churn{.images = 20, .both_right = 10, .only_first = 1, .only_second = 5, .both_wrong_apart = 2};
  EXPECT_EQ(churn.changed(), 8);
  // Binomial(6, 1/2): P(0) = 1/64, P(1) = 6/64; 2 (7/64 - 3/64) = 8/64.
  EXPECT_NEAR(churn.mcnemar_mid_p(), 0.125, 1e-12);
  EXPECT_EQ(Churn{}.mcnemar_mid_p(), 1.0);
}

TEST(Barrier, IsTheExcessOverTheLineBetweenTheEnds) {
  const std::vector<BarrierPoint> points{{0.0, 1.0, 0.0}, {0.5, 4.0, 0.0}, {1.0, 2.0, 0.0}};
  EXPECT_NEAR(barrier_height(points), 2.5, 1e-12);
  const std::vector<BarrierPoint> below{{0.0, 1.0, 0.0}, {0.5, 1.2, 0.0}, {1.0, 2.0, 0.0}};
  EXPECT_EQ(barrier_height(below), 0.0);
}

class TwoNetworks : public ::testing::Test {
 protected:
  std::shared_ptr<Backbone> make(std::uint64_t seed, const std::string& model = "cifar_resnet20") {
    auto network = make_backbone(model, *backend_, {.classes = 6, .in_channels = 1, .height = 12, .width = 12});
    initialize(state_of(*network), seed, "base-target");
    return network;
  }
  LoaderOptions batches(std::int64_t size) const {
    return {.batch_size = size, .pad_last = true, .mean = data_.mean, .deviation = data_.deviation};
  }

  std::unique_ptr<Backend> backend_ = make_reference_backend({});
  DatasetPair data_ = synthetic_data({.size = 12, .train_per_class = 4, .test_per_class = 3});
};

TEST_F(TwoNetworks, ANetworkAndItselfDoNotDiffer) {
  const auto a = make(1);
  const auto b = make(1);
  Loader loader(data_.test, *backend_, batches(6));
  const PassComparison same = compare_on_images(*a, *b, *backend_, loader);
  ASSERT_EQ(same.stages.size(), static_cast<std::size_t>(a->stage_count()));
  for (const StageComparison& stage : same.stages) {
    EXPECT_NEAR(*stage.cka, 1.0, 1e-6) << stage.name;
    EXPECT_EQ(stage.weights.l2, 0.0);
    EXPECT_NEAR(*stage.weights.cosine, 1.0, 1e-12);
  }
  EXPECT_EQ(same.churn->images, 18);
  EXPECT_EQ(same.churn->changed(), 0);
}

/// Stage by stage against Gram matrices in f64 of features that are read out one network at a time.
TEST_F(TwoNetworks, CkaIsThatOfTheStagesOutputs) {
  const auto a = make(1);
  const auto b = make(2);
  Loader loader(data_.test, *backend_, batches(7));  // batches of 7, 7 and 4: the last does not count
  const PassComparison got = compare_on_images(*a, *b, *backend_, loader);
  std::vector<MinibatchCka> expected(got.stages.size());
  loader.start_epoch(0);
  while (const auto batch = loader.next()) {
    if (batch->count < 7) continue;
    for (int i = 0; i < a->stage_count(); ++i) {
      const auto features = [&](Backbone& network) {
        return gram(to_host(network.forward_stages(Variable(batch->items), 0, i + 1, {}).value()), 7);
      };
      expected[static_cast<std::size_t>(i)].add(features(*a), features(*b), 7);
    }
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(*got.stages[i].cka, *expected[i].value(), 1e-4) << got.stages[i].name;
    EXPECT_LT(*got.stages[i].cka, 0.999);
    EXPECT_GT(got.stages[i].weights.l2, 0.0);
  }
}

TEST_F(TwoNetworks, TheLineEndsInBothNetworks) {
  const auto a = make(1);
  const auto b = make(2);
  const auto middle = make(3);
  Loader test(data_.test, *backend_, batches(6));
  Loader train(data_.train, *backend_, batches(8));
  for (const bool estimate : {true, false}) {
    const auto points = loss_on_line(*a, *b, *middle, *backend_, test, train,
                                     {.steps = 2, .estimate_statistics = estimate, .statistics_batches = 2});
    ASSERT_EQ(points.size(), 3u);
    EXPECT_EQ(points.front().loss, evaluate_network(*a, *backend_, test).loss);
    EXPECT_EQ(points.back().loss, evaluate_network(*b, *backend_, test).loss);
    EXPECT_EQ(points[1].t, 0.5);
  }
}

/// The first batch norm of a network sees the same activations whatever statistics it had.
TEST_F(TwoNetworks, EstimatedStatisticsAreMeansOverBatches) {
  const auto a = make(1);
  Loader train(data_.train, *backend_, batches(8));
  estimate_statistics(*a, *backend_, train, 2);
  std::vector<NamedVariable> buffers = a->buffers();
  const std::vector<double> mean = to_host(buffers[0].variable.value());
  const std::vector<double> both = to_host(buffers[1].variable.value());
  const std::size_t channels = mean.size();
  Matrix means(channels);
  Matrix variances(channels);
  const auto conv = a->parameters().front();
  ASSERT_EQ(conv.name, "conv1.weight");
  train.start_epoch(0);
  for (int batch = 0; batch < 2; ++batch) {
    const auto items = train.next();
    const Matrix x = to_host(items->items);
    const Matrix w = to_host(conv.variable.value());
    const auto pixel = [&](std::size_t n, int row, int column) {
      return x[(n * 12 + static_cast<std::size_t>(row)) * 12 + static_cast<std::size_t>(column)];
    };
    const auto tap = [&](std::size_t c, int dy, int dx) {
      return w[c * 9 + static_cast<std::size_t>(dy + 1) * 3 + static_cast<std::size_t>(dx + 1)];
    };
    for (std::size_t c = 0; c < channels; ++c) {
      Matrix values;
      for (std::size_t n = 0; n < 8; ++n) {
        for (int row = 0; row < 12; ++row) {
          for (int column = 0; column < 12; ++column) {
            double sum = 0.0;
            for (int dy = -1; dy <= 1; ++dy) {
              for (int dx = -1; dx <= 1; ++dx) {
                if (row + dy < 0 || row + dy > 11 || column + dx < 0 || column + dx > 11) continue;
                sum += pixel(n, row + dy, column + dx) * tap(c, dy, dx);
              }
            }
            values.push_back(sum);
          }
        }
      }
      double total = 0.0;
      for (const double value : values) total += value;
      const double centre = total / static_cast<double>(values.size());
      double squares = 0.0;
      for (const double value : values) squares += (value - centre) * (value - centre);
      means[c] += centre / 2.0;
      variances[c] += squares / static_cast<double>(values.size() - 1) / 2.0;
    }
  }
  for (std::size_t c = 0; c < channels; ++c) {
    EXPECT_NEAR(mean[c], means[c], 1e-5);
    EXPECT_NEAR(both[c], variances[c], 1e-5 * (1.0 + variances[c]));
  }
}

TEST(WeightDistance, ByHand) {
  const auto backend = make_reference_backend({});
  const auto variable = [&](const std::vector<float>& values) {
    const Tensor tensor = backend->empty({2}, DType::f32);
    backend->copy_from_host(values.data(), tensor);
    return Variable(tensor);
  };
  const WeightDistance distance = weight_distance({{.name = "w", .variable = variable({3.0F, 4.0F})}},
                                                  {{.name = "w", .variable = variable({4.0F, 3.0F})}});
  EXPECT_EQ(distance.parameters, 2);
  EXPECT_NEAR(distance.l2, std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(*distance.relative, std::sqrt(2.0) / 5.0, 1e-12);
  EXPECT_NEAR(*distance.cosine, 24.0 / 25.0, 1e-12);
}

}  // namespace
}  // namespace graft::testing
