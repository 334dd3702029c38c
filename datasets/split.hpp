#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/batch.hpp"

namespace synfire::datasets {

/// A split of a data set: batches to learn from, and what a person wants to see of one of its samples, which are
/// numbered as in Batch::index.
class Split : public BatchSource {
 public:
  virtual std::int32_t label(std::int64_t sample) const = 0;
  /// The file that a sample is from.
  virtual const std::string& file(std::int64_t sample) const = 0;
  /// A small picture of a sample as it was recorded, as PNG.
  virtual std::vector<unsigned char> thumbnail_png(std::int64_t sample) const = 0;
};

}  // namespace synfire::datasets
