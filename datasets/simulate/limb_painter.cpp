#include "datasets/simulate/limb_painter.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace synfire::datasets {

namespace {

constexpr float kSoft_px = 1.6F;  // width of an edge: the optics do not resolve a pixel

/// v, cut to [0, 1]. Without a comparison: the compiler would make branches of several in a row, and no vectors.
float clamp01(float v) { return 0.5F * (std::abs(v) - std::abs(v - 1.0F) + 1.0F); }

/// Triangle wave of period 1 between -1 and 1; x must not be negative.
float triangle(float x) {
  const float cycle = x - static_cast<float>(static_cast<int>(x));
  return 1.0F - 4.0F * std::abs(cycle - 0.5F);
}

struct Limb {
  float ax, ay;          // start
  float bx, by;          // from start to end
  float inverse_square;  // 1 / |b|^2
  float inverse_length;
  float radius, taper;  // radius at the start, and how much larger at the end
};

// No branches, calls or square roots: the loop over a row is vectorised.
void paint_row(std::ptrdiff_t count, float x, float y, const Limb& limb, const Material& material, float* row) {
  const float py = y - limb.ay;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const float px = x + static_cast<float>(static_cast<std::int32_t>(i)) - limb.ax;
    const float along = clamp01((px * limb.bx + py * limb.by) * limb.inverse_square);
    const float dx = px - along * limb.bx;
    const float dy = py - along * limb.by;
    const float radius = limb.radius + limb.taper * along;
    const float inverse_radius = 1.0F / radius;
    // (r^2 - d^2) / 2r is r - d near the edge.
    const float inside = 0.5F * (radius - (dx * dx + dy * dy) * inverse_radius);
    const float cover = clamp01(inside * (1.0F / kSoft_px) + 0.5F);
    const float across = (px * limb.by - py * limb.bx) * limb.inverse_length * inverse_radius;  // -1 to 1
    const float behind = clamp01((along - material.change) * 12.0F + 0.5F);
    const float tone = material.tone_start + behind * (material.tone_end - material.tone_start);
    const float round = 1.0F - material.shading * across * across;
    const float fold = 1.0F + material.stripes * (1.0F - behind) *
                                  (0.6F * triangle(3.0F * along + material.pattern + 1.0F) +
                                   0.4F * triangle(5.0F * along + 0.8F * across + 2.0F * material.pattern + 2.0F));
    const float light = tone * round * fold;
    row[i] += cover * (light - row[i]);
  }
}

void shade_row(std::ptrdiff_t count, float x, float y, const Limb& limb, float softness, float depth,
               const float* __restrict ground, float* __restrict row) {
  const float py = y - limb.ay;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const float px = x + static_cast<float>(static_cast<std::int32_t>(i)) - limb.ax;
    const float along = clamp01((px * limb.bx + py * limb.by) * limb.inverse_square);
    const float dx = px - along * limb.bx;
    const float dy = py - along * limb.by;
    const float inside = 0.5F * (limb.radius - (dx * dx + dy * dy) / limb.radius);
    row[i] *= 1.0F - depth * ground[i] * clamp01(inside * softness + 0.5F);
  }
}

Limb limb_between(Point a, Point b, double radius_a, double radius_b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  // A limb that points at the camera is a disc.
  const double square = std::max(1e-4, dx * dx + dy * dy);
  Limb limb{};
  limb.ax = static_cast<float>(a.x);
  limb.ay = static_cast<float>(a.y);
  limb.bx = static_cast<float>(dx);
  limb.by = static_cast<float>(dy);
  limb.inverse_square = static_cast<float>(1.0 / square);
  limb.inverse_length = static_cast<float>(1.0 / std::sqrt(square));
  limb.radius = static_cast<float>(radius_a);
  limb.taper = static_cast<float>(radius_b - radius_a);
  return limb;
}

/// The pixels within `reach` of a segment.
Box box_around(int width, int height, Point a, Point b, double reach) {
  const auto pixel = [](double place, int most) {
    return static_cast<int>(std::clamp(std::floor(place), 0.0, static_cast<double>(most)));
  };
  return {pixel(std::min(a.x, b.x) - reach, width), pixel(std::min(a.y, b.y) - reach, height),
          pixel(std::max(a.x, b.x) + reach + 1.0, width), pixel(std::max(a.y, b.y) + reach + 1.0, height)};
}

}  // namespace

Box joined(const Box& a, const Box& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right), std::max(a.bottom, b.bottom)};
}

Box paint_limb(std::span<float> image, int width, int height, Point a, Point b, double radius_a, double radius_b,
               const Material& material) {
  const Box box = box_around(width, height, a, b, std::max(radius_a, radius_b) + kSoft_px);
  if (box.empty()) return box;
  const Limb limb = limb_between(a, b, radius_a, radius_b);
  for (int y = box.top; y < box.bottom; ++y) {
    float* row = image.data() + static_cast<std::ptrdiff_t>(y) * width + box.left;
    paint_row(box.right - box.left, static_cast<float>(box.left) + 0.5F, static_cast<float>(y) + 0.5F, limb, material,
              row);
  }
  return box;
}

Box paint_shadow(std::span<float> image, std::span<const float> ground, int width, int height, Point a, Point b,
                 double radius, float depth) {
  const double softness_px = 0.5 * radius + kSoft_px;
  const Box box = box_around(width, height, a, b, radius + softness_px);
  if (box.empty()) return box;
  const Limb limb = limb_between(a, b, radius, radius);
  for (int y = box.top; y < box.bottom; ++y) {
    const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(y) * width + box.left;
    shade_row(box.right - box.left, static_cast<float>(box.left) + 0.5F, static_cast<float>(y) + 0.5F, limb,
              static_cast<float>(1.0 / softness_px), depth, ground.data() + begin, image.data() + begin);
  }
  return box;
}

}  // namespace synfire::datasets
