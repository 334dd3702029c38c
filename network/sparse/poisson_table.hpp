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
    return static_cast<std::int32_t>(word << (32U - shift_) < threshold_[column] ? column : alias_[column]);
  }
  /// Eight at once.
  Int8 counts(const UInt8& words) const;

 private:
  std::uint32_t shift_ = 28;  ///< bits of a word below the column
  int max_count_ = 0;
  std::vector<std::uint32_t> threshold_;
  std::vector<std::uint32_t> alias_;
};

inline Int8 PoissonTable::counts(const UInt8& words) const {
  if (shift_ < 27) {
    Int8 result;
    for (int lane = 0; lane < 8; ++lane) result[lane] = count(words[lane]);
    return result;
  }
  // Tables of 16 or 32 columns lie in vectors, from which lanes are picked.
  const auto pick = [&](const auto& table, const UInt8& column) {
    if (shift_ == 28) return pick16(table.data(), column);
    return column < 16U ? pick16(table.data(), column) : pick16(table.data() + 16, column & 15U);
  };
  const UInt8 column = words >> shift_;
  const UInt8 below = words << (32U - shift_);
  const UInt8 threshold = pick(threshold_, column);
  const UInt8 alias = pick(alias_, column);
  return reinterpret_cast<Int8>(below < threshold ? column : alias);
}

}  // namespace synfire::network
