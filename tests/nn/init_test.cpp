#include "engine/nn/init.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <numeric>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

class Initialize : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});

  std::vector<double> values(Backend& backend, const std::string& name, const Shape& shape, std::uint64_t seed,
                             const std::string& role, DType dtype = DType::f32) {
    std::vector<NamedVariable> variables{{name, Variable(backend.empty(shape, dtype))}};
    initialize(variables, seed, role);
    return to_host(variables[0].variable.value());
  }
  std::vector<double> weights(std::uint64_t seed, const std::string& role, const std::string& name = "conv1.weight") {
    return values(*backend_, name, {20, 5, 5, 16}, seed, role);
  }
};

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double ab = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  const double aa = std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
  const double bb = std::inner_product(b.begin(), b.end(), b.begin(), 0.0);
  return ab / std::sqrt(aa * bb);
}

TEST_F(Initialize, WeightsAreHeNormal) {
  const std::vector<double> w = weights(0, "base-source");
  const auto count = static_cast<double>(w.size());
  const double variance = 2.0 / (5 * 5 * 16);
  const double mean = std::accumulate(w.begin(), w.end(), 0.0) / count;
  const double square = std::inner_product(w.begin(), w.end(), w.begin(), 0.0) / count;
  const double fourth =
      std::accumulate(w.begin(), w.end(), 0.0, [](double sum, double x) { return sum + x * x * x * x; }) / count;
  // Four standard errors each; a fourth moment of three squared variances tells a normal from a uniform (1.8).
  EXPECT_NEAR(mean, 0.0, 4 * std::sqrt(variance / count));
  EXPECT_NEAR(square / variance, 1.0, 4 * std::sqrt(2.0 / count));
  EXPECT_NEAR(fourth / (variance * variance), 3.0, 4 * std::sqrt(96.0 / count));
}

TEST_F(Initialize, RolesSeedsAndNamesShareNoNumbers) {
  std::vector<std::vector<double>> all;
  for (const char* role : {"base-source", "base-target", "retrained", "random-frozen"}) {
    for (const std::uint64_t seed : {0u, 1u, 2u}) {
      all.push_back(weights(seed, role));
      all.push_back(weights(seed, role, "conv2.weight"));
    }
  }
  const double bound = 5.0 / std::sqrt(static_cast<double>(all[0].size()));  // five standard errors, for 276 pairs
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_LT(std::abs(correlation(all[i], all[j])), bound) << i << " and " << j;
  }
}

TEST_F(Initialize, IsAFunctionOfItsArgumentsAlone) {
  EXPECT_EQ(weights(3, "retrained"), weights(3, "retrained"));
  // A name's numbers do not depend on what is initialised beside it.
  std::vector<NamedVariable> two{{"a.weight", Variable(backend_->empty({4, 4}, DType::f32))},
                                 {"conv1.weight", Variable(backend_->empty({20, 5, 5, 16}, DType::f32))}};
  initialize(two, 3, "retrained");
  EXPECT_EQ(to_host(two[1].variable.value()), weights(3, "retrained"));
}

TEST_F(Initialize, ThreadsChangeNothing) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const std::vector<double> one = weights(3, "retrained");
  omp_set_num_threads(3);
  const std::vector<double> three = weights(3, "retrained");
  omp_set_num_threads(before);
  EXPECT_EQ(one, three);
}

TEST_F(Initialize, GivesTheSameBitsOnEveryBackendAndInF64) {
  const auto cpu = make_cpu_backend({});
  EXPECT_EQ(values(*cpu, "conv1.weight", {20, 5, 5, 16}, 3, "retrained"), weights(3, "retrained"));
  EXPECT_EQ(values(*backend_, "conv1.weight", {20, 5, 5, 16}, 3, "retrained", DType::f64), weights(3, "retrained"));
}

TEST_F(Initialize, OtherParametersAndBuffersAreConstants) {
  const auto constant = [&](const std::string& name, DType dtype = DType::f32) {
    return values(*backend_, name, {2}, 0, "retrained", dtype);
  };
  EXPECT_EQ(constant("bn1.weight"), (std::vector<double>{1, 1}));
  EXPECT_EQ(constant("weight"), (std::vector<double>{1, 1}));
  EXPECT_EQ(constant("fc.bias"), (std::vector<double>{0, 0}));
  EXPECT_EQ(constant("bn1.running_mean"), (std::vector<double>{0, 0}));
  EXPECT_EQ(constant("bn1.running_var"), (std::vector<double>{1, 1}));
  EXPECT_EQ(constant("bn1.num_batches_tracked", DType::i64), (std::vector<double>{0, 0}));
  EXPECT_THROW(constant("bn1.gamma"), Error);
}

}  // namespace
}  // namespace graft::testing
