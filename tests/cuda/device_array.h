#pragma once

#include <cstddef>
#include <vector>

#include "cuda/runtime/check.h"
#include "cuda/runtime/stream.h"

namespace graft::cuda::testing {

/// Device memory that holds `values`.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count) {
    if (count == 0) return;
    check_cuda(cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)), "cudaMalloc");
  }
  DeviceArray(const Stream& stream, const std::vector<T>& values) : DeviceArray(values.size()) {
    stream.copy(values.data(), data_, count_ * sizeof(T));
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() { return data_; }
  std::vector<T> values(const Stream& stream) const {
    std::vector<T> host(count_);
    stream.copy(data_, host.data(), count_ * sizeof(T));
    stream.synchronize();
    return host;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};

}  // namespace graft::cuda::testing
