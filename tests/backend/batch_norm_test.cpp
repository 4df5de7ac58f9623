#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

struct NormCase {
  std::string name;
  Shape x;
  double mean = 0.0;
  double deviation = 1.0;
  bool misaligned = false;
};

const std::vector<NormCase> kNormCases = {
    {"images", {2, 7, 5, 16}},
    {"odd channels", {3, 5, 5, 13}},
    {"one channel", {2, 9, 9, 1}},
    {"many channels", {2, 3, 3, 130}},
    {"a matrix", {33, 10}},
    {"many rows", {1, 64, 40, 8}},
    {"one row", {1, 1, 1, 24}},
    {"one element", {1, 1}},
    {"no rows", {0, 4, 4, 6}},
    {"no channels", {2, 4, 4, 0}},
    {"misaligned", {2, 5, 7, 24}, 0.0, 1.0, true},
    {"a mean of a thousand deviations", {4, 8, 8, 16}, 100.0, 0.1},
};

struct Variant {
  bool residual;
  bool relu;
  bool relu6 = false;
  std::string name() const {
    return std::string(residual ? "residual " : "") + (relu ? "relu" : "") + (relu6 ? "relu6" : "");
  }
};
const std::vector<Variant> kVariants = {{false, false}, {false, true},        {true, false},
                                        {true, true},   {false, false, true}, {true, false, true}};

/// The exact inputs and results of one call on the host, for the bounds.
struct HostNorm {
  std::vector<double> x, scale, shift, mean, inverse;
  std::size_t channels() const { return scale.size(); }
  double rows() const { return x.empty() ? 0.0 : static_cast<double>(x.size() / channels()); }
};

class BatchNormTest : public KernelTest {
 protected:
  struct Inputs {
    Pair x, residual, scale, shift;
  };

  Inputs inputs(const NormCase& c, const Variant& variant) {
    const std::int64_t channels = c.x[-1];
    return {normal(c.x, dtype(), c.mean, c.deviation), variant.residual ? normal(c.x, dtype()) : Pair{},
            normal({channels}, DType::f32, 1.0, 0.3), normal({channels}, DType::f32, variant.relu6 ? 5.0 : 0.0)};
  }

  Tensor norm_scratch(const Shape& x) { return scratch(backend().batch_norm_scratch_bytes(x, dtype())); }

  static HostNorm host(const Inputs& in, const Tensor& mean, const Tensor& inverse) {
    return {values_of(in.x.exact), values_of(in.scale.exact), values_of(in.shift.exact), values_of(mean),
            values_of(inverse)};
  }
};

/// Mean of `rows` terms: rows eps mean|x|.
std::vector<double> mean_bound(const HostNorm& h) {
  std::vector<double> bound(h.channels());
  for (std::size_t i = 0; i < h.x.size(); ++i) {
    bound[i % h.channels()] += (h.rows() + 2.0) * kF32Roundoff * std::abs(h.x[i]) / h.rows();
  }
  return bound;
}

/// A stable reduction loses at most rows eps kappa of the variance, kappa^2 = 1 + mean^2 / variance its condition
/// (Chan, Golub and LeVeque 1983); the textbook formula loses rows eps kappa^2 and fails here. The inverse deviation
/// loses half.
std::vector<double> inverse_bound(const HostNorm& h) {
  std::vector<double> bound(h.channels());
  for (std::size_t c = 0; c < bound.size(); ++c) {
    const double kappa = std::sqrt(1.0 + h.mean[c] * h.mean[c] * h.inverse[c] * h.inverse[c]);
    bound[c] = (h.rows() + 4.0) * kF32Roundoff * kappa * h.inverse[c];
  }
  return bound;
}

/// y = scale (x - mean) inverse + shift + residual, each factor with its error, for either way of multiplying out.
std::vector<double> y_bound(const HostNorm& h, const std::vector<double>& residual,
                            const std::vector<double>& mean_error, const std::vector<double>& inverse_error) {
  std::vector<double> bound(h.x.size());
  for (std::size_t i = 0; i < bound.size(); ++i) {
    const std::size_t c = i % h.channels();
    const double scale = std::abs(h.scale[c]);
    const double added = std::abs(h.shift[c]) + (residual.empty() ? 0.0 : std::abs(residual[i]));
    const double magnitude = scale * h.inverse[c] * (std::abs(h.x[i]) + std::abs(h.mean[c])) + added;
    bound[i] = 4.0 * kF32Roundoff * magnitude + scale * h.inverse[c] * mean_error[c] +
               scale * std::abs(h.x[i] - h.mean[c]) * inverse_error[c];
  }
  return bound;
}

}  // namespace

TEST_P(BatchNormTest, Train) {
  for (const NormCase& c : kNormCases) {
    for (const Variant& variant : kVariants) {
      SCOPED_TRACE(c.name + ", " + variant.name());
      misalign(c.misaligned);
      const Inputs in = inputs(c, variant);
      const Shape channels = in.scale.tested.shape();
      const Pair running_mean = normal(channels, DType::f32);
      const Pair running_var = normal(channels, DType::f32, 2.0, 0.1);
      const Pair y = output(c.x, dtype());
      const Pair mean = output(channels, DType::f32);
      const Pair inverse = output(channels, DType::f32);
      const BatchNormOptions options{.eps = 1e-5, .momentum = 0.2, .relu = variant.relu, .relu6 = variant.relu6};
      const std::vector<double> old_mean = values_of(running_mean.exact);
      const std::vector<double> old_var = values_of(running_var.exact);
      backend().batch_norm_train(in.x.tested, in.residual.tested, in.scale.tested, in.shift.tested, options,
                                 running_mean.tested, running_var.tested, norm_scratch(c.x), y.tested, mean.tested,
                                 inverse.tested);
      oracle().batch_norm_train(in.x.exact, in.residual.exact, in.scale.exact, in.shift.exact, options,
                                running_mean.exact, running_var.exact, {}, y.exact, mean.exact, inverse.exact);
      const HostNorm h = host(in, mean.exact, inverse.exact);
      const std::vector<double> mean_error = mean_bound(h);
      const std::vector<double> inverse_error = inverse_bound(h);
      expect_close("mean", mean, mean_error);
      expect_close("inverse deviation", inverse, inverse_error);
      const std::vector<double> residual = variant.residual ? values_of(in.residual.exact) : std::vector<double>();
      expect_close("y", y, y_bound(h, residual, mean_error, inverse_error));

      std::vector<double> running_mean_error(h.channels());
      std::vector<double> running_var_error(h.channels());
      const std::vector<double> new_var = values_of(running_var.exact);
      for (std::size_t i = 0; i < h.channels(); ++i) {
        running_mean_error[i] = mean_error[i] + 4.0 * kF32Roundoff * (std::abs(old_mean[i]) + std::abs(h.mean[i]));
        // The variance's relative error is twice that of the inverse deviation.
        const double relative = h.inverse[i] == 0.0 ? 0.0 : 2.0 * inverse_error[i] / h.inverse[i];
        running_var_error[i] = (relative + 4.0 * kF32Roundoff) * (std::abs(old_var[i]) + std::abs(new_var[i]));
      }
      expect_close("running mean", running_mean, running_mean_error);
      expect_close("running var", running_var, running_var_error);
    }
  }
}

TEST_P(BatchNormTest, TrainWithoutRunningStatisticsAndInPlace) {
  for (const NormCase& c : kNormCases) {
    SCOPED_TRACE(c.name);
    misalign(c.misaligned);
    const Inputs in = inputs(c, {true, true});
    const Shape channels = in.scale.tested.shape();
    const BatchNormOptions options{.relu = true};
    const Tensor mean = output(channels, DType::f32).tested;
    const Tensor inverse = output(channels, DType::f32).tested;
    const auto run = [&](const Tensor& y) {
      const Tensor residual = backend().empty(c.x, dtype());
      const Tensor x = backend().empty(c.x, dtype());
      backend().copy(in.x.tested, x);
      backend().copy(in.residual.tested, residual);
      const Tensor target = y.defined() ? y : x;
      backend().batch_norm_train(x, residual, in.scale.tested, in.shift.tested, options, {}, {}, norm_scratch(c.x),
                                 target, mean, inverse);
      return bytes_of(target);
    };
    EXPECT_EQ(run(output(c.x, dtype()).tested), run({})) << "y over x differs from y";
    const Tensor y = backend().empty(c.x, dtype());
    const Tensor residual = backend().empty(c.x, dtype());
    backend().copy(in.residual.tested, residual);
    backend().batch_norm_train(in.x.tested, in.residual.tested, in.scale.tested, in.shift.tested, options, {}, {},
                               norm_scratch(c.x), y, mean, inverse);
    backend().batch_norm_train(in.x.tested, residual, in.scale.tested, in.shift.tested, options, {}, {},
                               norm_scratch(c.x), residual, mean, inverse);
    EXPECT_EQ(bytes_of(y), bytes_of(residual)) << "y over the residual differs from y";
  }
}

TEST_P(BatchNormTest, Eval) {
  for (const NormCase& c : kNormCases) {
    for (const Variant& variant : kVariants) {
      SCOPED_TRACE(c.name + ", " + variant.name());
      misalign(c.misaligned);
      const Inputs in = inputs(c, variant);
      const Shape channels = in.scale.tested.shape();
      const Pair mean = normal(channels, DType::f32, c.mean, c.deviation);
      const Pair var = of(values_of(absolute(normal(channels, DType::f32).exact)), channels, DType::f32);
      const Pair y = output(c.x, dtype());
      const BatchNormOptions options{.eps = 1e-3, .relu = variant.relu, .relu6 = variant.relu6};
      backend().batch_norm_eval(in.x.tested, in.residual.tested, in.scale.tested, in.shift.tested, mean.tested,
                                var.tested, options, y.tested);
      oracle().batch_norm_eval(in.x.exact, in.residual.exact, in.scale.exact, in.shift.exact, mean.exact, var.exact,
                               options, y.exact);
      HostNorm h = host(in, mean.exact, var.exact);
      for (double& inverse : h.inverse) inverse = 1.0 / std::sqrt(inverse + options.eps);
      const std::vector<double> residual = variant.residual ? values_of(in.residual.exact) : std::vector<double>();
      const std::vector<double> bound =
          y_bound(h, residual, std::vector<double>(h.channels()), times(4.0 * kF32Roundoff, h.inverse));
      expect_close("y", y, bound);
      backend().batch_norm_eval(in.x.tested, in.residual.tested, in.scale.tested, in.shift.tested, mean.tested,
                                var.tested, options, in.x.tested);
      expect_close("y over x", {in.x.tested, y.exact}, bound);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, BatchNormTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
