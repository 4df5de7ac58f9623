#pragma once

#include <atomic>

namespace graft {

/// From here on Ctrl-C (SIGINT) and SIGTERM set a flag instead of ending the process; a second one ends it at once.
/// Returns the flag.
const std::atomic<bool>& catch_interrupts();

}  // namespace graft
