#include "core/nearest_word.hpp"

#include <doctest/doctest.h>

using namespace synfire;

TEST_CASE("the edit distance counts insertions, deletions and replacements") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("epochs", "epochs") == 0);
  CHECK(edit_distance("epoch", "epochs") == 1);
  CHECK(edit_distance("epcohs", "epochs") == 2);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the nearest word is the first of the nearest, and nothing is near to nothing") {
  CHECK(nearest_word("epoch", {"batch", "epochs", "seed"}) == "epochs");
  CHECK(nearest_word("x", {"ab", "cd"}) == "ab");
  CHECK(nearest_word("x", {}).empty());
}
