#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config.hpp"

namespace synfire::network {

inline constexpr double kMaxMs = 1e9;

/// The keys of one layer. What the layer does not say, the defaults of its type do.
class LayerTable {
 public:
  LayerTable(const ConfigTable& layer, const ConfigTable& defaults, double dt_ms)
      : layer_(layer), defaults_(defaults), dt_ms_(dt_ms) {}

  double dt_ms() const { return dt_ms_; }

  int integer(const std::string& key, std::optional<std::int64_t> fallback, std::int64_t at_least,
              std::int64_t at_most) const {
    if (defaults_.has(key)) fallback = defaults_.integer(key, {}, at_least, at_most);
    return static_cast<int>(layer_.integer(key, fallback, at_least, at_most));
  }
  double number(const std::string& key, double fallback, double at_least, double at_most) const {
    if (defaults_.has(key)) fallback = defaults_.number(key, {}, at_least, at_most);
    return layer_.number(key, fallback, at_least, at_most);
  }
  std::vector<double> numbers(const std::string& key, std::vector<double> fallback) const {
    if (defaults_.has(key)) fallback = defaults_.numbers(key);
    return layer_.numbers(key, fallback);
  }
  bool flag(const std::string& key, bool fallback) const {
    if (defaults_.has(key)) fallback = defaults_.flag(key);
    return layer_.flag(key, fallback);
  }
  std::string choice(const std::string& key, const std::vector<std::string>& choices,
                     const std::string& fallback) const {
    return layer_.choice(key, choices, defaults_.has(key) ? defaults_.choice(key, choices) : fallback);
  }
  /// Reported where the value comes from.
  [[noreturn]] void fail(const std::string& key, const std::string& problem) const {
    (!layer_.has(key) && defaults_.has(key) ? defaults_ : layer_).fail(key, problem);
  }

 private:
  ConfigTable layer_, defaults_;
  double dt_ms_;
};

}  // namespace synfire::network
