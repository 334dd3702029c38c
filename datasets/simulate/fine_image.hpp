#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace synfire::datasets {

struct Point {
  double x = 0.0;
  double y = 0.0;
};

/// A picture that is sampled more finely than the sensor that looks at it, and reaches beyond its edges, so that it can
/// be seen displaced by parts of a pixel.
class FineImage {
 public:
  /// \param width, height  of the sensor; \param margin  pixels beyond each edge; \param fine  samples per pixel
  FineImage(int width, int height, int margin, int fine);

  int columns() const { return fine_ * padded_width_; }  ///< samples in a row
  int rows() const { return fine_ * padded_height_; }
  /// Middle of a sample in pixels of the sensor, whose upper left corner is (0, 0).
  Point place(int row, int column) const;
  float& at(int row, int column) {
    const auto phase = static_cast<std::size_t>(column % fine_);
    return samples_[(phase * static_cast<std::size_t>(rows()) + static_cast<std::size_t>(row)) *
                        static_cast<std::size_t>(padded_width_) +
                    static_cast<std::size_t>(column / fine_)];
  }

  /// Bilinear samples at the middles of the sensor's pixels with the picture moved by `offset`, at most `margin` - 1
  /// pixels each way. \param out  [height * width]
  void look(Point offset, std::span<float> out) const;

 private:
  int width_;
  int height_;
  int margin_;
  int fine_;
  int padded_width_;
  int padded_height_;
  // [fine][rows][padded width]: columns sorted by their place inside a pixel, so that neighbours of the sensor are
  // neighbours in memory.
  std::vector<float> samples_;
};

}  // namespace synfire::datasets
