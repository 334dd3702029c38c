// Decodes arbitrary bytes as IDX images and as labels.
#include "datasets/idx.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synfire::datasets;
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const IdxImages images = decode_idx_images(bytes, "fuzz");
    if (images.pixels.size() != images.count * images.height * images.width) std::abort();
  } catch (const synfire::Error&) {
  }
  try {
    decode_idx_labels(bytes, "fuzz");
  } catch (const synfire::Error&) {
  }
  return 0;
}
