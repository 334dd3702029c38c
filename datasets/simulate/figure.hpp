#pragma once

#include <array>

namespace synfire::datasets {

/// A point of the figure: x to the right of the picture, y down, z towards the camera. The unit is the height of the
/// torso, the origin the middle between the shoulders.
struct Vec3 {
  double x = 0.0;
  double y = 0.0;
  double z = 0.0;

  friend Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend Vec3 operator*(double s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
};
double dot(Vec3 a, Vec3 b);
Vec3 cross(Vec3 a, Vec3 b);
Vec3 normalised(Vec3 a);
/// From a (u = 0) to b (u = 1).
Vec3 mix(Vec3 a, Vec3 b, double u);

/// The performer's side. The right arm is on the left of the picture.
enum class Side { right, left };
inline constexpr std::array kSides{Side::right, Side::left};
/// Which way is outward on that side: -1 for right, +1 for left.
double outward(Side side);

/// Proportions of a person.
struct Build {
  double shoulder = 0.36;  ///< from the middle to a shoulder
  double upper_arm = 0.52;
  double forearm = 0.58;  ///< to the middle of the hand
  double arm_radius = 0.085;
  double hand_radius = 0.085;
  double head_width = 0.36;
  double head_height = 0.46;
};

struct ArmPose {
  Vec3 elbow;
  Vec3 hand;
};

/// Where everything that moves is at one moment.
struct FigurePose {
  std::array<ArmPose, 2> arm;  ///< by Side
  Vec3 sway;                   ///< by which the whole body has shifted

  ArmPose& operator[](Side side) { return arm[static_cast<std::size_t>(side)]; }
  const ArmPose& operator[](Side side) const { return arm[static_cast<std::size_t>(side)]; }
};

Vec3 shoulder_of(const Build& build, Side side);

/// The arm that brings its hand to `hand`, or as far that way as it reaches. The elbow may lie anywhere on a circle
/// about the line from shoulder to hand: `swivel` is its angle on it, 0 for down, pi/2 for towards the camera.
ArmPose reach(const Build& build, Side side, Vec3 hand, double swivel);

/// The arm that hangs at the side.
ArmPose hanging_arm(const Build& build, Side side);

FigurePose mix(const FigurePose& a, const FigurePose& b, double u);

}  // namespace synfire::datasets
