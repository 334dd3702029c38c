#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "network/sparse/lanes8.hpp"

namespace synfire::network {

/// Poisson counts from one 32-bit word each, by the alias method [Walker1977]: the upper bits of the word choose a
/// column, the others between the two counts that share it. Probabilities are multiples of 2^-32; counts that are rarer
/// than that in all do not occur.
class PoissonTable {
 public:
  /// \param mean  at most 1000
  explicit PoissonTable(double mean);

  int max_count() const { return max_count_; }
  std::int32_t count(std::uint32_t word) const {
    const std::uint32_t column = word >> shift_;
    return word << (32U - shift_) < threshold_[column] ? static_cast<std::int32_t>(column) : alias_[column];
  }
  /// Eight at once.
  Int8 counts(const UInt8& words) const;

 private:
  std::uint32_t shift_ = 28;  ///< bits of a word below the column
  int max_count_ = 0;
  std::vector<std::uint32_t> threshold_;
  std::vector<std::int32_t> alias_;
};

inline Int8 PoissonTable::counts(const UInt8& words) const {
  if (threshold_.size() == 16) {
    const auto pick = [](const auto* table, const UInt8& column) {
      UInt8 low, high;
      std::memcpy(&low, table, sizeof(low));
      std::memcpy(&high, table + 8, sizeof(high));
      return __builtin_shuffle(low, high, column);
    };
    const UInt8 column = words >> 28U;
    const UInt8 below = words << 4U;
    const UInt8 threshold = pick(threshold_.data(), column);
    const UInt8 alias = pick(alias_.data(), column);
    return reinterpret_cast<Int8>(below < threshold ? column : alias);
  }
  Int8 result;
  for (int lane = 0; lane < 8; ++lane) result[lane] = count(words[lane]);
  return result;
}

}  // namespace synfire::network
