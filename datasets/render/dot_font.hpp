#pragma once

#include <array>
#include <cstdint>

namespace synfire::datasets {

inline constexpr int kDotColumns = 5;
inline constexpr int kDotRows = 7;

/// Rows of a letter of 5x7 dots from the top, the lowest bit on the right; one row of dots below the line for letters
/// that have a tail is part of the seven. Empty for a space and for what the font does not have: it has digits, small
/// letters, the capitals F, H, N and O, and "+-./,:()_%".
std::array<std::uint8_t, kDotRows> dot_letter(char letter);

}  // namespace synfire::datasets
