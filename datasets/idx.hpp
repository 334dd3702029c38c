#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

/// IDX files, the format of MNIST's images and labels, plain or compressed with gzip (told apart by content).
namespace synfire::datasets {

struct IdxImages {
  std::size_t count = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::uint8_t> pixels;  ///< [count, height, width]

  std::span<const std::uint8_t> image(std::size_t i) const {
    return std::span(pixels).subspan(i * height * width, height * width);
  }
};

/// Images of unsigned bytes. \throws FileError if the file cannot be read, FormatError if it is not exactly as long as
/// its header says, or holds something else
IdxImages read_idx_images(const std::filesystem::path& file);

/// Labels of unsigned bytes; throws as above.
std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& file);

/// As above, from memory.
IdxImages decode_idx_images(std::span<const std::byte> bytes, const std::string& name);
std::vector<std::uint8_t> decode_idx_labels(std::span<const std::byte> bytes, const std::string& name);

}  // namespace synfire::datasets
