#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "models/backbone.h"

namespace graft::testing {

/// `count` numbers in [-1, 1), the formula of make_expectations.py.
std::vector<double> formula(const std::string& name, std::int64_t count);

/// Fills all parameters and buffers by the formula, as make_expectations.py fills a state_dict. Values are f32 numbers
/// whatever the dtype.
void fill_by_formula(Backbone& model);

/// The input images of the formula, [N, H, W, C]; `dims` are N, C, H, W.
Tensor formula_images(Backend& backend, const std::vector<std::int64_t>& dims, DType dtype);

/// A case of pytorch_outputs.txt.
struct PyTorchCase {
  std::string model;
  std::vector<std::int64_t> dims;  ///< N, C, H, W
  /// How far values and the gradient go when weights move by up to four f32 epsilons, in these. A gradient jumps where
  /// a ReLU or a maximum goes over to its other side.
  double value_conditioning = 0.0;
  double gradient_conditioning = 0.0;
  std::vector<double> eval_logits;
  std::vector<double> train_logits;
  double loss = 0.0;
  std::string parameter;  ///< whose gradient was kept
  std::int64_t step = 1;  ///< every step-th element of the flattened OIHW gradient
  double gradient_norm = 0.0;
  std::vector<double> gradient;
};
std::vector<PyTorchCase> read_pytorch_cases();

}  // namespace graft::testing
