#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

namespace graft::fuzz {

/// Runs `body` with the path of a file in memory that holds `bytes`. The body may return or throw an Error of the kinds
/// data and usage with a message of one line; anything else ends the process, which is what a fuzzer looks for.
void with_file(std::span<const std::uint8_t> bytes, const std::function<void(const std::filesystem::path&)>& body);

/// Ends the process, saying why.
void require(bool condition, const char* what);

}  // namespace graft::fuzz

/// One run of a target; libFuzzer and replay.cpp call it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
