#include "datasets/simulate/gesture_actions.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/simulate/draws.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kPerformanceStream = 0x474553'01;
constexpr double kTau = 2.0 * std::numbers::pi;

/// Typical rhythm of a gesture in Hz; that of a person differs by their tempo.
double usual_rate_hz(GestureClass gesture) {
  switch (gesture) {
    case GestureClass::hand_clapping:
      return 2.4;
    case GestureClass::right_hand_wave:
    case GestureClass::left_hand_wave:
      return 1.9;
    case GestureClass::right_arm_clockwise:
    case GestureClass::right_arm_counter_clockwise:
    case GestureClass::left_arm_clockwise:
    case GestureClass::left_arm_counter_clockwise:
      return 0.9;
    case GestureClass::arm_roll:
      return 2.0;
    case GestureClass::air_drums:
      return 2.2;
    case GestureClass::air_guitar:
      return 2.8;
    case GestureClass::other_gestures:
      return 0.7;
  }
  return 1.0;
}

bool runs_backwards(GestureClass gesture) {
  return gesture == GestureClass::right_arm_counter_clockwise || gesture == GestureClass::left_arm_counter_clockwise;
}

/// 0 at the top, 1 at the bottom: down in the first third of a cycle, slowly up in the rest.
double drum_stroke(double phase) {
  constexpr double kDown = 0.33;
  const double cycle = phase / kTau - std::floor(phase / kTau);
  const double share = cycle < kDown ? cycle / kDown : 1.0 + (cycle - kDown) / (1.0 - kDown);
  return 0.5 * (1.0 - std::cos(std::numbers::pi * share));
}

}  // namespace

double Performance::Wave::at(double t_s) const { return depth * std::sin(kTau * rate * t_s + phase); }

Performance::Performance(GestureClass gesture, const Build& build, const Temper& temper, std::uint64_t seed,
                         std::uint32_t number)
    : gesture_(gesture), build_(build), temper_(temper) {
  // Not by gesture: a clockwise and a counter-clockwise performance of equal number would be twins otherwise, which is
  // no harm, but a waste of variety.
  Draws draw(seed, kPerformanceStream, number);
  const auto wave = [&](double depth, double slowest_hz, double fastest_hz) {
    return Wave{depth, draw.uniform(slowest_hz, fastest_hz), draw.uniform(0.0, kTau)};
  };
  rate_hz_ = usual_rate_hz(gesture) * temper.tempo * draw.factor(0.1);
  phase_ = draw.uniform(0.0, kTau);
  tempo_ = wave(temper.unrest, 0.1, 0.4);
  size_ = wave(temper.unrest, 0.1, 0.5);
  sway_ = {wave(temper.sway, 0.15, 0.45), wave(0.5 * temper.sway, 0.15, 0.45)};
  shift_ = {draw.normal(0.0, 0.04), draw.normal(0.0, 0.05), draw.normal(0.0, 0.04)};
  swivel_ = temper.swivel + draw.normal(0.0, 0.15);
  style_ = draw.uniform(0.0, 1.0);
  both_hands_ = draw.chance(0.6);
  hand_ = draw.chance(0.5) ? Side::right : Side::left;
  for (std::size_t i = 0; i < wander_.size(); ++i) {
    const double harmonic = static_cast<double>(i % 3) + 1.0;
    wander_[i] =
        wave(draw.uniform(0.06, 0.24) / std::sqrt(harmonic), 0.8 * harmonic * rate_hz_, 1.3 * harmonic * rate_hz_);
  }
}

FigurePose Performance::pose(double t_s) const {
  if (runs_backwards(gesture_)) t_s = -t_s;
  FigurePose pose = moving(t_s);
  // The body gives way a little to its arms.
  Vec3 pull;
  for (const Side side : kSides) pull = pull + (pose[side].hand - hanging_arm(build_, side).hand);
  pose.sway = {sway_[0].at(t_s) + 0.012 * pull.x, sway_[1].at(t_s) + 0.008 * pull.y, 0.0};
  for (const Side side : kSides) {
    pose[side].elbow = pose[side].elbow + pose.sway;
    pose[side].hand = pose[side].hand + pose.sway;
  }
  return pose;
}

FigurePose Performance::moving(double t_s) const {
  const double phase = phase_ + kTau * rate_hz_ * (t_s + tempo_.at(t_s));
  const double size = temper_.vigour * (1.0 + size_.at(t_s));
  const auto arm = [&](Side side, Vec3 hand) { return reach(build_, side, hand + shift_, swivel_); };

  FigurePose pose;
  for (const Side side : kSides) pose[side] = hanging_arm(build_, side);
  switch (gesture_) {
    case GestureClass::hand_clapping: {
      const double apart = build_.hand_radius + 0.36 * size * std::pow(0.5 * (1.0 + std::cos(phase)), 0.8);
      for (const Side side : kSides) pose[side] = arm(side, {outward(side) * apart, 0.32 + 0.2 * style_, 0.5});
      break;
    }
    case GestureClass::right_hand_wave:
      pose[Side::right] = waving_arm(Side::right, phase, size);
      break;
    case GestureClass::left_hand_wave:
      pose[Side::left] = waving_arm(Side::left, phase, size);
      break;
    case GestureClass::right_arm_clockwise:
    case GestureClass::right_arm_counter_clockwise:
      pose[Side::right] = circling_arm(Side::right, phase, size);
      break;
    case GestureClass::left_arm_clockwise:
    case GestureClass::left_arm_counter_clockwise:
      pose[Side::left] = circling_arm(Side::left, phase, size);
      break;
    case GestureClass::arm_roll:
      for (const Side side : kSides) {
        const double turn = (style_ < 0.5 ? phase : -phase) + (side == Side::left ? std::numbers::pi : 0.0);
        const double radius = 0.17 * size;
        pose[side] = arm(side, {-0.1 * outward(side), 0.38 + radius * std::sin(turn), 0.5 + radius * std::cos(turn)});
      }
      break;
    case GestureClass::air_drums:
      for (const Side side : kSides) {
        const double stroke = drum_stroke(phase + (side == Side::left ? std::numbers::pi : 0.0));
        pose[side] =
            arm(side, {(0.26 + 0.08 * style_) * outward(side), 0.22 + 0.42 * size * stroke, 0.5 - 0.1 * stroke});
      }
      break;
    case GestureClass::air_guitar: {
      const double strum = std::sin(phase);
      pose[Side::right] = arm(Side::right, {-0.05 + 0.04 * strum, 0.66 + 0.2 * size * strum, 0.35});
      pose[Side::left] = arm(
          Side::left, {0.72 + 0.05 * wander_[0].at(t_s) / 0.24, 0.18 + 0.15 * style_ + 0.2 * wander_[3].at(t_s), 0.4});
      break;
    }
    case GestureClass::other_gestures:
      for (const Side side : kSides) {
        if (both_hands_ || side == hand_) pose[side] = wandering_arm(side, t_s);
      }
      break;
  }
  return pose;
}

// The upper arm keeps still, the forearm swings about the elbow with the hand up.
ArmPose Performance::waving_arm(Side side, double phase, double size) const {
  const double out = outward(side);
  const Vec3 upper = normalised({(0.55 + shift_.x) * out, 0.55 + 0.5 * style_, 0.4});
  const Vec3 elbow = shoulder_of(build_, side) + build_.upper_arm * upper;
  const double swing = 0.15 + shift_.z * 4.0 + 0.6 * size * std::sin(phase);
  const Vec3 up{out * std::sin(swing), -std::cos(swing), 0.15};
  return {elbow, elbow + build_.forearm * normalised(up)};
}

// The hand runs on a circle about the shoulder; x to y is clockwise in a picture whose y points down.
ArmPose Performance::circling_arm(Side side, double phase, double size) const {
  const double length = build_.upper_arm + build_.forearm;
  const double radius = std::min(0.95, (0.74 + 0.2 * style_) * size) * length;
  const Vec3 middle = shoulder_of(build_, side) + Vec3{0.08 * outward(side) + shift_.x, shift_.y, 0.22};
  return reach(build_, side, middle + Vec3{radius * std::cos(phase), radius * std::sin(phase), 0.0}, swivel_);
}

ArmPose Performance::wandering_arm(Side side, double t_s) const {
  const std::size_t first = side == Side::right ? 0 : 9;
  const auto axis = [&](std::size_t number) {
    double sum = 0.0;
    for (std::size_t i = 0; i < 3; ++i) sum += wander_[first + 3 * number + i].at(t_s);
    return sum;
  };
  const Vec3 middle{(0.5 + 0.25 * style_) * outward(side), 0.05 + 0.3 * style_, 0.4};
  return reach(build_, side, middle + Vec3{axis(0), 1.2 * axis(1), 0.5 * axis(2)}, swivel_);
}

}  // namespace synfire::datasets
