#pragma once

#include <array>
#include <cstdint>

#include "datasets/simulate/figure.hpp"

namespace synfire::datasets {

/// The eleven classes of DVS128 Gesture with its numbers [Amir2017]. Right and left are the performer's; clockwise is
/// as the camera sees it.
enum class GestureClass : std::uint8_t {
  hand_clapping = 1,
  right_hand_wave = 2,
  left_hand_wave = 3,
  right_arm_clockwise = 4,
  right_arm_counter_clockwise = 5,
  left_arm_clockwise = 6,
  left_arm_counter_clockwise = 7,
  arm_roll = 8,
  air_drums = 9,
  air_guitar = 10,
  other_gestures = 11,
};
inline constexpr int kNumGestures = 11;

/// How a person moves.
struct Temper {
  double tempo = 1.0;    ///< factor on the rhythm of every gesture
  double vigour = 1.0;   ///< factor on their size
  double swivel = 0.0;   ///< of the elbows, radians
  double sway = 0.01;    ///< of the body at rest, torso heights
  double unrest = 0.05;  ///< depth of the slow changes of tempo and size
};

/// One performance of a gesture by one person: everything that is drawn anew each time they do it.
///
/// A counter-clockwise performance is the clockwise one of the same draws, run backwards in time about its middle. As
/// every draw is as likely backwards as forwards, the two leave the same events behind and differ in their order only.
class Performance {
 public:
  Performance(GestureClass gesture, const Build& build, const Temper& temper, std::uint64_t seed, std::uint32_t number);

  /// The pose `t_s` after the middle of the performance; t_s may be negative.
  FigurePose pose(double t_s) const;

 private:
  struct Wave {  ///< a slow change
    double depth, rate, phase;
    double at(double t_s) const;
  };
  FigurePose moving(double t_s) const;
  ArmPose waving_arm(Side side, double phase, double size) const;
  ArmPose circling_arm(Side side, double phase, double size) const;
  ArmPose wandering_arm(Side side, double t_s) const;

  GestureClass gesture_;
  Build build_;
  Temper temper_;
  double rate_hz_ = 1.0;
  double phase_ = 0.0;
  Wave tempo_;
  Wave size_;
  std::array<Wave, 2> sway_;
  Vec3 shift_;  ///< of the place where it happens
  double swivel_ = 0.0;
  double style_ = 0.0;             ///< uniform in [0, 1): what else there is to choose
  std::array<Wave, 18> wander_{};  ///< of class 11: three harmonics of each axis of both hands
  bool both_hands_ = false;
  Side hand_ = Side::right;
};

}  // namespace synfire::datasets
