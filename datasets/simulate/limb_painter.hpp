#pragma once

#include <span>

#include "datasets/simulate/fine_image.hpp"

namespace synfire::datasets {

/// A rectangle of pixels, the end not included.
struct Box {
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;

  bool empty() const { return left >= right || top >= bottom; }
};
Box joined(const Box& a, const Box& b);

/// What a limb is made of along its length: `tone_start` up to `change` (0 to 1), `tone_end` behind it.
struct Material {
  float tone_start = 0.5F;
  float tone_end = 0.5F;
  float change = 1.0F;
  float stripes = 0.0F;  ///< contrast of the pattern
  float pattern = 0.0F;  ///< where the pattern starts, 0 to 1
  float shading = 0.4F;  ///< by which the edges of the round limb are darker
};

/// Paints a limb with round ends and soft edges: a segment from `a` to `b` with a radius that changes linearly. Pixel
/// (x, y) has its middle at (x + 0.5, y + 0.5). Returns the pixels that it may have changed.
Box paint_limb(std::span<float> image, int width, int height, Point a, Point b, double radius_a, double radius_b,
               const Material& material);
/// Darkens what is behind a limb and around it, by at most `depth` and where `ground` (same size as the image, 0 to 1)
/// is close enough to catch a shadow.
Box paint_shadow(std::span<float> image, std::span<const float> ground, int width, int height, Point a, Point b,
                 double radius, float depth);

}  // namespace synfire::datasets
