#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace graft {

/// null for what could not be computed.
inline nlohmann::ordered_json or_null(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace graft
