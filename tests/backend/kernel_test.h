#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "tests/backend/backends_under_test.h"

namespace graft::testing {

/// What a kernel test runs on.
struct KernelParam {
  BackendUnderTest backend;
  DType dtype = DType::f32;
};
void PrintTo(const KernelParam& param, std::ostream* out);

/// Every backend under test in each of the dtypes.
std::vector<KernelParam> kernel_params(const std::vector<DType>& dtypes = {DType::f32, DType::bf16});
/// The same and, on a GPU that has cuDNN and cuBLAS at hand, these in place of graft's own products.
std::vector<KernelParam> product_params();
/// "cpu1thread_bf16"
std::string kernel_param_name(const ::testing::TestParamInfo<KernelParam>& info);

/// One argument of a kernel twice: on the backend under test, and on the oracle (the reference backend) in f64, or in
/// the same dtype if that is an integer. Both start from the same values, rounded to the dtype of `tested`.
struct Pair {
  Tensor tested;
  Tensor exact;
};

/// The fixture of all kernel tests. A test runs the kernel under test on the `tested` halves and the same kernel of the
/// oracle on the `exact` halves, and compares.
class KernelTest : public ::testing::TestWithParam<KernelParam> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Backend& backend() { return *backend_; }
  Backend& oracle() { return *oracle_; }
  DType dtype() const { return GetParam().dtype; }

  /// From now on tensors start one element after a multiple of 64 bytes, as slices of odd rows may, or no longer.
  void misalign(bool on) { misaligned_ = on; }

  /// Normal numbers, rounded to `dtype`; every call draws from a stream of its own.
  Pair normal(const Shape& shape, DType dtype, double mean = 0.0, double deviation = 1.0);
  /// The given values, rounded to `dtype`.
  Pair of(const std::vector<double>& values, const Shape& shape, DType dtype);
  /// Memory for a result, filled with a pattern that no kernel produces, so that what is left unwritten shows.
  Pair output(const Shape& shape, DType dtype);
  /// Scratch of the backend under test, filled with the same pattern, and followed by bytes that the end of the test
  /// finds as they were; undefined for 0 bytes.
  Tensor scratch(std::size_t bytes);
  /// A tensor of the oracle with the absolute values of another: kernels run on these give the sum of |terms|.
  Tensor absolute(const Tensor& exact);
  /// Memory on the oracle shaped like `exact`, for such a run.
  Tensor like(const Tensor& exact);

 private:
  std::unique_ptr<Backend> oracle_;
  std::unique_ptr<Backend> backend_;
  Tensor memory(const Shape& shape, DType dtype);

  std::vector<Tensor> fences_;
  std::uint64_t draws_ = 0;
  bool misaligned_ = false;
};

}  // namespace graft::testing
