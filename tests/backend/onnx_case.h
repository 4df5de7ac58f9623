#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace graft::testing {

/// A tensor of a conformance vector, widened to double.
struct OnnxTensor {
  std::vector<std::int64_t> dims;
  std::vector<double> values;
};

/// One conformance vector of ONNX: a model of a single node with its inputs and the outputs to be met.
struct OnnxCase {
  std::string op_type;
  std::map<std::string, std::vector<std::int64_t>> ints;  ///< an integer attribute is a list of one
  std::map<std::string, double> floats;
  std::map<std::string, std::string> strings;
  std::vector<OnnxTensor> inputs;
  std::vector<OnnxTensor> outputs;

  std::int64_t int_or(const std::string& name, std::int64_t otherwise) const;
  std::vector<std::int64_t> ints_or(const std::string& name, const std::vector<std::int64_t>& otherwise) const;
  double float_or(const std::string& name, double otherwise) const;
  std::string string_or(const std::string& name, const std::string& otherwise) const;
};

/// Reads the vector called "test_<name>" from Debian's libonnx-testdata. Throws std::runtime_error that names the file,
/// and the package where it is not installed.
OnnxCase load_onnx_case(const std::string& name);

}  // namespace graft::testing
