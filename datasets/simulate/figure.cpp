#include "datasets/simulate/figure.hpp"

#include <algorithm>
#include <cmath>

namespace synfire::datasets {

double dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

Vec3 cross(Vec3 a, Vec3 b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }

Vec3 normalised(Vec3 a) {
  const double length = std::sqrt(dot(a, a));
  return length > 0.0 ? (1.0 / length) * a : Vec3{0.0, 1.0, 0.0};
}

Vec3 mix(Vec3 a, Vec3 b, double u) { return a + u * (b - a); }

double outward(Side side) { return side == Side::right ? -1.0 : 1.0; }

Vec3 shoulder_of(const Build& build, Side side) { return {outward(side) * build.shoulder, 0.0, 0.0}; }

ArmPose reach(const Build& build, Side side, Vec3 hand, double swivel) {
  const Vec3 shoulder = shoulder_of(build, side);
  const Vec3 along = normalised(hand - shoulder);
  const double wanted = std::sqrt(dot(hand - shoulder, hand - shoulder));
  // An elbow never locks quite straight, nor folds quite flat.
  const double distance =
      std::clamp(wanted, std::abs(build.upper_arm - build.forearm) + 0.1, 0.985 * (build.upper_arm + build.forearm));
  const double square = build.upper_arm * build.upper_arm;
  const double foot = (square - build.forearm * build.forearm + distance * distance) / (2.0 * distance);
  const double height = std::sqrt(std::max(0.0, square - foot * foot));
  // A preferred direction that is never parallel to a natural arm: down, outward and back.
  const Vec3 preferred{0.45 * outward(side), 1.0, -0.6};
  const Vec3 down = normalised(preferred - dot(preferred, along) * along);
  const Vec3 forward = outward(side) * cross(along, down);
  const Vec3 bend = std::cos(swivel) * down + std::sin(swivel) * forward;
  return {shoulder + foot * along + height * bend, shoulder + distance * along};
}

ArmPose hanging_arm(const Build& build, Side side) {
  const Vec3 hand =
      shoulder_of(build, side) + Vec3{0.1 * outward(side), 0.97 * (build.upper_arm + build.forearm), 0.08};
  return reach(build, side, hand, 0.0);
}

FigurePose mix(const FigurePose& a, const FigurePose& b, double u) {
  FigurePose pose;
  for (const Side side : kSides) {
    pose[side] = {mix(a[side].elbow, b[side].elbow, u), mix(a[side].hand, b[side].hand, u)};
  }
  pose.sway = mix(a.sway, b.sway, u);
  return pose;
}

}  // namespace synfire::datasets
