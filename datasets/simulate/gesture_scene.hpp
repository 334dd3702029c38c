#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/simulate/fine_image.hpp"
#include "datasets/simulate/gesture_subject.hpp"
#include "datasets/simulate/limb_painter.hpp"

namespace synfire::datasets {

/// A person in front of a wall, as the log intensity on a sensor of 128x128 pixels. The body, which only sways, is
/// painted once, finely; the arms are painted anew for each moment, and only where they are or have just been.
class GestureScene {
 public:
  static constexpr int kSide = 128;

  /// Patterns of wall and shirt are drawn from `seed`.
  GestureScene(const Subject& subject, const Light& light, std::uint64_t seed);

  /// [128 * 128], valid until the next call.
  std::span<const float> draw(const FigurePose& pose, double t_s);

 private:
  static constexpr std::size_t kPixels = std::size_t{kSide} * kSide;

  void paint_wall(std::uint64_t seed);
  void paint_body(std::uint64_t seed);
  void stand(Point sway_px);
  Box paint_arm(const ArmPose& arm, Side side, Vec3 sway);
  void expose(const Box& box);
  Point project(Vec3 point) const;
  /// Place on the body, in torso heights, of a place in the picture.
  Point unproject(Point place) const;
  double radius_px(double radius, Vec3 at) const;

  Subject subject_;
  Light light_;
  double cloud_phase_ = 0.0;
  std::vector<float> wall_;
  FineImage body_cover_;                                 ///< how much of the wall the body hides, 0 to 1
  FineImage body_light_;                                 ///< what it shows in its place, times the cover
  std::array<std::array<Material, 3>, 2> arm_material_;  ///< by side: upper arm, forearm, hand

  Point standing_px_{1e9, 1e9};  ///< sway for which stage_ is painted
  std::vector<float> cover_;     ///< of the body as it stands
  std::vector<float> stage_;     ///< wall and body
  std::vector<float> picture_;   ///< with arms
  std::vector<float> log_;       ///< log intensity of picture_ in even light
  std::vector<float> frame_;     ///< and in the light of the moment
  std::array<Box, 2> arm_box_{};
};

}  // namespace synfire::datasets
