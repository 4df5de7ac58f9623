#include "engine/backend/contract.h"
#include "engine/backend/contract_check.h"
#include "engine/base/error.h"

namespace graft {

void check_scratch(const char* operation, const Backend& backend, const Tensor& scratch, std::size_t bytes) {
  const ContractCheck contract(operation, backend);
  contract.scratch(scratch);
  const std::size_t given = scratch.defined() ? scratch.nbytes() : 0;
  if (given < bytes) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] scratch has {} bytes, {} are needed: ask the matching ..._scratch_bytes", operation,
         given, bytes);
  }
}

void check_host_copy(const char* operation, const Backend& backend, const Tensor& tensor, const void* host) {
  const ContractCheck contract(operation, backend);
  contract.given({"the tensor", tensor});
  contract.that(host != nullptr || tensor.nbytes() == 0, "the host address is null");
}

}  // namespace graft
