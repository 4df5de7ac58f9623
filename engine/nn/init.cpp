#include "engine/nn/init.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/base/parallel_for.h"
#include "engine/base/philox.h"

namespace graft {
namespace {

// Four elements come from one Philox block, so that any range can be filled by itself and threads change nothing.
constexpr std::int64_t kBlock = 4;

std::vector<float> he_normal(const Shape& shape, const RandomStream& random) {
  const std::int64_t count = shape.numel();
  const double fan_in = static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, shape[0]));
  const double deviation = std::sqrt(2.0 / std::max(1.0, fan_in));
  std::vector<float> values(static_cast<std::size_t>(count));
  parallel_for(count, 1024 * kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += kBlock) {
      const auto words = random.words(0, static_cast<std::uint64_t>(first / kBlock));
      const auto low = normal_pair(words[0], words[1]);
      const auto high = normal_pair(words[2], words[3]);
      const std::array<double, kBlock> normal{low[0], low[1], high[0], high[1]};
      const std::int64_t stop = std::min(end, first + kBlock);
      for (std::int64_t i = first; i < stop; ++i) {
        values[static_cast<std::size_t>(i)] =
            static_cast<float>(deviation * normal[static_cast<std::size_t>(i - first)]);
      }
    }
  });
  return values;
}

// f64 parameters get the f32 numbers, so that a reference network starts where the others do.
Tensor upload(Backend& backend, const std::vector<float>& values, const Shape& shape, DType dtype) {
  const Tensor result = backend.empty(shape, dtype);
  if (dtype == DType::f64) {
    const std::vector<double> wide(values.begin(), values.end());
    backend.copy_from_host(wide.data(), result);
  } else {
    backend.copy_from_host(values.data(), result);
  }
  return result;
}

Tensor constant(const Tensor& like, double value) {
  const Tensor result = like.backend().empty(like.shape(), like.dtype());
  like.backend().fill(value, result);
  return result;
}

// The value of everything but weight matrices and kernels.
double constant_of(const std::string& name) {
  const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
  if (last == "weight" || last == "running_var") return 1.0;
  check(last == "bias" || last == "running_mean" || last == "num_batches_tracked",
        "[initialize] {} has no rule: a name ends in weight, bias, running_mean, running_var or num_batches_tracked",
        name);
  return 0.0;
}

}  // namespace

void initialize(const std::vector<NamedVariable>& variables, std::uint64_t seed, const std::string& role) {
  for (auto [name, variable] : variables) {
    const Tensor old = variable.value();
    const bool is_weight = name == "weight" || name.ends_with(".weight");
    if (!is_weight || old.rank() < 2) {
      variable.set_value(constant(old, constant_of(name)));
      continue;
    }
    check(old.dtype() == DType::f32 || old.dtype() == DType::f64, "[initialize] {} is {}, a weight is f32 or f64", name,
          old.str());
    const RandomStream random{.seed = seed, .stream = stream_of("init:" + role + ":" + name)};
    variable.set_value(upload(old.backend(), he_normal(old.shape(), random), old.shape(), old.dtype()));
  }
}

}  // namespace graft
