#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace synfire {

/// Levenshtein distance: the least number of bytes to insert, delete or replace to turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the least edit distance to `word`, the first one of equals; empty if there is none. For messages
/// that help with a slip of the finger.
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace synfire
