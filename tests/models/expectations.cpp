#include "tests/models/expectations.h"

#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "engine/base/philox.h"
#include "engine/io/element_convert.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

std::uint64_t splitmix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Values in disk order brought into memory order.
std::vector<double> to_memory_order(const std::vector<double>& values, const Shape& shape) {
  if (shape.rank() != 4) return values;
  std::vector<double> turned(values.size());
  oihw_to_ohwi(std::as_bytes(std::span(values)), shape, sizeof(double), std::as_writable_bytes(std::span(turned)));
  return turned;
}

void fill_variable(const NamedVariable& named) {
  Variable variable = named.variable;
  if (variable.dtype() == DType::i64) {
    variable.backend().fill(0.0, variable.value());
    return variable.mark_changed();
  }
  const Shape& shape = variable.shape();
  std::vector<double> values = formula(named.name, shape.numel());
  const bool around_one = named.name.ends_with("running_var") || named.name.ends_with("weight");
  const double bound = shape.rank() >= 2 ? std::sqrt(6.0 / static_cast<double>(shape.numel() / shape[0])) : 0.0;
  for (double& value : values) {
    value = shape.rank() >= 2 ? value * bound : around_one ? 1.0 + 0.5 * value : 0.25 * value;
    value = static_cast<double>(static_cast<float>(value));
  }
  variable.set_value(from_host(variable.backend(), shape, variable.dtype(), to_memory_order(values, shape)));
}

std::vector<double> rest_of(std::istringstream& line) {
  std::vector<double> values;
  for (double value = 0.0; line >> value;) values.push_back(value);
  return values;
}

}  // namespace

std::vector<double> formula(const std::string& name, std::int64_t count) {
  const std::uint64_t stream = stream_of(name);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t word = splitmix((i + 1) * 0x9E3779B97F4A7C15u + stream);
    values[i] = static_cast<double>(word >> 40) * 0x1p-23 - 1.0;
  }
  return values;
}

void fill_by_formula(Backbone& model) {
  for (const NamedVariable& named : model.parameters()) fill_variable(named);
  for (const NamedVariable& named : model.buffers()) fill_variable(named);
}

Tensor formula_images(Backend& backend, const std::vector<std::int64_t>& dims, DType dtype) {
  const Shape shape{dims[0], dims[2], dims[3], dims[1]};
  // Images go from NCHW to NHWC as weights go from OIHW to OHWI.
  return from_host(backend, shape, dtype, to_memory_order(formula("input", shape.numel()), shape));
}

std::vector<PyTorchCase> read_pytorch_cases() {
  const std::string path = std::string(GRAFT_SOURCE_DIR) + "/tests/models/pytorch_outputs.txt";
  std::ifstream file(path);
  std::vector<PyTorchCase> cases;
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string key;
    line >> key;
    if (key == "case") {
      cases.emplace_back();
      line >> cases.back().model;
      for (std::int64_t dim = 0; line >> dim;) cases.back().dims.push_back(dim);
    } else if (key == "conditioning") {
      line >> cases.back().value_conditioning >> cases.back().gradient_conditioning;
    } else if (key == "eval_logits") {
      cases.back().eval_logits = rest_of(line);
    } else if (key == "train_logits") {
      cases.back().train_logits = rest_of(line);
    } else if (key == "loss") {
      line >> cases.back().loss;
    } else if (key == "gradient") {
      line >> cases.back().parameter >> cases.back().step >> cases.back().gradient_norm;
      cases.back().gradient = rest_of(line);
    } else {
      throw std::runtime_error(path + ": unknown key " + key);
    }
  }
  if (cases.empty()) throw std::runtime_error(path + ": no cases");
  return cases;
}

}  // namespace graft::testing
