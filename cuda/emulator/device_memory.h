#pragma once

#include <cstddef>

// The emulated device's memory: host memory of the process. Each change is told to whatever checks accesses in this
// build: the shadow memory of the checked build, AddressSanitizer in a sanitized one.

namespace graft::cuda::emulator {

/// Device memory aligned to 512, filled with NaN; nullptr if there is none. Nobody may touch what lies around it.
void* allocate_device_memory(std::size_t bytes);
void free_device_memory(void* address, std::size_t bytes);

/// The host or a copy within the device has written these bytes. Addresses that are not device memory are ignored.
void device_memory_written(const void* address, std::size_t bytes);
/// What was copied within the device is as written as it was where it came from; what came from the host is written.
void device_memory_copied(const void* to, const void* from, std::size_t bytes);

/// A pool gives `bytes` of its block of `block_bytes` out, and takes the block back. In between only these bytes may be
/// touched, and they are NaN and count as not written: what a block held before depends on what ran before. Not for
/// blocks of captured graphs, whose kernels use them again after the pool has them back.
void pool_block_given_out(void* block, std::size_t bytes, std::size_t block_bytes);
void pool_block_taken_back(void* block, std::size_t block_bytes);
/// From here on blocks that a pool gives out or has back may be touched as a whole: a stream puts work off, which may
/// come to a block long after the pool has had it back.
void pool_blocks_stay_open();

}  // namespace graft::cuda::emulator
