#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace graft::cuda::emulator {

/// What the emulated device is like, so that tests can have it fail as real ones do. From the environment variable
/// GRAFT_EMULATED_DEVICE, a list such as "memory=67108864,driver=12000,devices=0,architecture=70,launches=100"; read
/// once.
struct DevicePlan {
  std::size_t memory = std::size_t{8} << 30;  ///< bytes
  int driver_version = 13000;                 ///< 0: there is no driver
  int devices = 1;
  int architecture = 90;
  int multiprocessors = 4;
  std::uint64_t launches = std::numeric_limits<std::uint64_t>::max();  ///< the first after these fails, for good
  int deferred = 0;  ///< 1: a stream's work is done when it is waited for, not when it is given
};

/// The plan of this process. Throws Error(usage) if the variable cannot be read.
const DevicePlan& device_plan();

}  // namespace graft::cuda::emulator
