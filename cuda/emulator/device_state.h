#pragma once

#include "cuda/emulator/device_api.h"

// What the emulated API's files share.
namespace graft::cuda::inline emulated {

/// Notes the error for cudaGetLastError and returns it; once the device has failed, that failure whatever the call.
cudaError_t result(cudaError_t error);
/// The failure after which every call of the process fails, as after a kernel's fault on a GPU; cudaSuccess before.
cudaError_t device_failure();
/// False while this thread captures and has not relaxed its mode: what waits for or changes the device is refused then,
/// and the capture is lost, as on a GPU.
bool allowed_in_capture();
/// Does all work that streams have put off. Faults of their kernels are nobody's here: whoever waits for the stream
/// meets the next.
void finish_all_streams() noexcept;

}  // namespace graft::cuda::inline emulated
