#include "engine/backend/contract.h"
#include "engine/backend/contract_check.h"

namespace graft {

namespace {

void check_rows(const ContractCheck& contract, const Tensor& logits, const Tensor& labels) {
  contract.floating({"logits", logits});
  contract.rank({"logits", logits}, 2);
  contract.is({"labels", labels}, {logits.dim(0)}, DType::i64);
}

}  // namespace

void check_softmax_cross_entropy(const Backend& backend, const Tensor& logits, const Tensor& labels,
                                 double label_smoothing, const Tensor& loss, const Tensor& dlogits) {
  const ContractCheck contract("softmax_cross_entropy", backend);
  check_rows(contract, logits, labels);
  contract.value(label_smoothing >= 0.0 && label_smoothing <= 1.0, "label_smoothing", label_smoothing, "in [0, 1]");
  contract.is({"loss", loss}, {1}, wide_dtype(logits.dtype()));
  contract.is_if_given({"dlogits", dlogits}, logits.shape(), logits.dtype());
  contract.disjoint({"loss", loss}, {{"logits", logits}, {"labels", labels}, {"dlogits", dlogits}});
  contract.same_or_disjoint({"dlogits", dlogits}, {{"logits", logits}});
  contract.disjoint({"dlogits", dlogits}, {{"labels", labels}});
}

void check_sigmoid_cross_entropy(const Backend& backend, const Tensor& logits, const Tensor& targets,
                                 const Tensor& loss, const Tensor& dlogits) {
  const ContractCheck contract("sigmoid_cross_entropy", backend);
  contract.floating({"logits", logits});
  contract.rank({"logits", logits}, 2);
  contract.is({"targets", targets}, logits.shape(), wide_dtype(logits.dtype()));
  contract.is({"loss", loss}, {1}, wide_dtype(logits.dtype()));
  contract.is_if_given({"dlogits", dlogits}, logits.shape(), logits.dtype());
  contract.disjoint({"loss", loss}, {{"logits", logits}, {"targets", targets}, {"dlogits", dlogits}});
  contract.same_or_disjoint({"dlogits", dlogits}, {{"logits", logits}});
  contract.disjoint({"dlogits", dlogits}, {{"targets", targets}});
}

void check_count_correct(const Backend& backend, const Tensor& logits, const Tensor& labels, std::int64_t k,
                         const Tensor& count) {
  const ContractCheck contract("count_correct", backend);
  check_rows(contract, logits, labels);
  contract.value(k >= 1, "k", static_cast<double>(k), "at least 1");
  contract.is({"count", count}, {1}, DType::i64);
  contract.disjoint({"count", count}, {{"logits", logits}, {"labels", labels}});
}

}  // namespace graft
