#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace synfire::datasets {

/// A picture whose colours mix two inks on white paper: orange for ON events, blue for OFF events, 16 strengths of
/// each. Both at full strength are nearly black and serve for axes and text.
class Image {
 public:
  static constexpr int kLevels = 16;

  Image(int width, int height) : width_(width), height_(height), pixels_(static_cast<std::size_t>(width) * height, 0) {}

  int width() const { return width_; }
  int height() const { return height_; }
  const std::vector<std::uint8_t>& pixels() const { return pixels_; }

  /// Strengths are cut at full; outside the picture nothing happens.
  void put(int x, int y, int on, int off);
  /// A rectangle in full ink of both colours.
  void fill(int x, int y, int width, int height);
  /// The border of a rectangle, one pixel wide, in full ink of both colours.
  void frame(int x, int y, int width, int height);
  /// Letters of dot_font.hpp in full ink, `scale` pixels a dot; (x, y) is the upper left corner.
  /// \return width in pixels
  int text(int x, int y, std::string_view text, int scale);

  static int text_width(std::string_view text, int scale);
  static int text_height(int scale);
  /// Copies `other` with its upper left corner to (x, y).
  void paste(const Image& other, int x, int y);

  /// The 256 colours, 3 bytes each.
  static const std::array<std::uint8_t, 768>& palette();

 private:
  int width_;
  int height_;
  std::vector<std::uint8_t> pixels_;  ///< on * 16 + off
};

/// Each pixel as a square of `factor` pixels.
Image enlarged(const Image& image, int factor);

std::vector<unsigned char> png_bytes(const Image& image);
/// Written aside and renamed. \throws FileError
void write_png(const std::filesystem::path& file, const Image& image);
/// An endless animation of at least one picture; all have the size of the first. \throws FileError
void write_gif(const std::filesystem::path& file, const std::vector<Image>& images, int delay_ms);

}  // namespace synfire::datasets
