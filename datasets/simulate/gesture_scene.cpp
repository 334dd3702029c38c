#include "datasets/simulate/gesture_scene.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/simulate/draws.hpp"
#include "datasets/simulate/fast_log.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kWallStream = 0x534345'01;
constexpr std::uint32_t kShirtStream = 0x534345'02;
constexpr std::uint32_t kArmStream = 0x534345'03;
constexpr double kTau = 2.0 * std::numbers::pi;
constexpr int kMargin = 4;
constexpr int kFine = 2;
constexpr double kSwayStep_px = 0.02;  // a smaller sway changes no pixel by more than a tenth of a threshold
constexpr double kCloud_hz = 0.13;
constexpr float kShadow = 0.4F;        // of an arm on the body, as a share of the light
constexpr double kPerspective = 0.14;  // growth of what comes one torso height closer

double smooth_step(double x) {
  const double u = std::clamp(x, 0.0, 1.0);
  return u * u * (3.0 - 2.0 * u);
}

/// Smooth noise in [-1, 1] with details of one unit.
class ValueNoise {
 public:
  ValueNoise(std::uint64_t seed, std::uint32_t stream, std::uint32_t layer) : lattice_(seed, stream, layer) {}
  double at(double x, double y) const {
    const double column = std::floor(x), row = std::floor(y);
    const double u = smooth_step(x - column), v = smooth_step(y - row);
    const auto node = [&](double dx, double dy) {
      const auto i = static_cast<std::int64_t>(column + dx) + kHalf, j = static_cast<std::int64_t>(row + dy) + kHalf;
      return 2.0 * lattice_.uniform(static_cast<std::uint64_t>(i + 2 * kHalf * j)) - 1.0;
    };
    return std::lerp(std::lerp(node(0, 0), node(1, 0), u), std::lerp(node(0, 1), node(1, 1), u), v);
  }

 private:
  static constexpr std::int64_t kHalf = 1 << 12;
  RandomStream lattice_;
};

/// Coverage of a point `inside` pixels within an edge (outside if negative), with optics that do not resolve a pixel.
double edge(double inside_px) { return smooth_step(inside_px / 2.0 + 0.5); }

}  // namespace

GestureScene::GestureScene(const Subject& subject, const Light& light, std::uint64_t seed)
    : subject_(subject),
      light_(light),
      wall_(kPixels),
      body_cover_(kSide, kSide, kMargin, kFine),
      body_light_(kSide, kSide, kMargin, kFine),
      cover_(kPixels),
      stage_(kPixels),
      picture_(kPixels),
      log_(kPixels),
      frame_(kPixels) {
  paint_wall(seed);
  paint_body(seed);

  Draws draw(seed, kArmStream, 0);
  const Look& look = subject.look;
  const auto skin = static_cast<float>(look.skin), shirt = static_cast<float>(look.shirt);
  const auto stripes = static_cast<float>(0.5 * look.shirt_contrast);
  for (auto& [upper, forearm, hand] : arm_material_) {
    // The sleeve ends somewhere on the upper arm or on the forearm.
    upper = {
        .tone_start = shirt, .tone_end = skin, .change = static_cast<float>(2.0 * look.sleeve), .stripes = stripes};
    forearm = {.tone_start = shirt,
               .tone_end = skin,
               .change = static_cast<float>(2.0 * look.sleeve - 1.0),
               .stripes = stripes};
    // Fingers and creases.
    hand = {.tone_start = skin, .tone_end = skin, .stripes = 0.25F};
    for (Material* material : {&upper, &forearm, &hand}) {
      material->pattern = static_cast<float>(draw.uniform(0.0, 1.0));
    }
  }
  // Clouds must not keep time with the gestures, which come at the same times in every recording.
  cloud_phase_ = draw.uniform(0.0, kTau);
}

void GestureScene::paint_wall(std::uint64_t seed) {
  const ValueNoise coarse(seed, kWallStream, 0), fine(seed, kWallStream, 1);
  const Look& look = subject_.look;
  Draws draw(seed, kWallStream, 2);
  // A door, a shelf, a poster: rectangles of another tone.
  struct Panel {
    double left, top, width, height, factor;
  };
  std::array<Panel, 3> panels{};
  for (Panel& panel : panels) {
    panel = {draw.uniform(-20.0, 110.0), draw.uniform(-40.0, 90.0), draw.uniform(12.0, 60.0), draw.uniform(12.0, 120.0),
             std::exp(look.background_contrast * draw.uniform(-1.5, 1.5))};
  }
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      double tone =
          look.background *
          (1.0 + look.background_contrast * (0.5 * coarse.at(x / 24.0, y / 24.0) + 0.3 * fine.at(x / 6.0, y / 6.0)));
      for (const Panel& panel : panels) {
        const double across = std::min(x - panel.left, panel.left + panel.width - x);
        const double down = std::min(y - panel.top, panel.top + panel.height - y);
        tone *= 1.0 + (panel.factor - 1.0) * edge(std::min(across, down));
      }
      tone *= 1.0 + 0.2 * light_.side * (x - 64.0) / 64.0;
      // The legs, which stand still while the body above them sways.
      const Point leg = unproject({x + 0.5, y + 0.5});
      const double inside = std::min(0.86 * subject_.build.shoulder - std::abs(leg.x), leg.y - 0.9);
      tone = std::lerp(tone, look.trousers, edge(inside * subject_.torso_px));
      wall_[static_cast<std::size_t>(y * kSide + x)] = static_cast<float>(std::clamp(tone, 0.01, 1.0));
    }
  }
}

void GestureScene::paint_body(std::uint64_t seed) {
  const ValueNoise cloth(seed, kShirtStream, 0), folds(seed, kShirtStream, 1);
  const Build& build = subject_.build;
  const Look& look = subject_.look;
  const double px = subject_.torso_px;
  for (int row = 0; row < body_cover_.rows(); ++row) {
    for (int column = 0; column < body_cover_.columns(); ++column) {
      const Point place = body_cover_.place(row, column);
      const auto [x, y] = unproject(place);

      // From back to front; each part hides a share of what is behind it.
      double cover = 0.0, light = 0.0;
      const auto put = [&](double share, double tone) {
        cover += share * (1.0 - cover);
        light += share * (tone - light);
      };
      const double side = std::abs(x);
      const double across = x / build.shoulder;
      const double lit = (1.0 - 0.25 * across * across) * (1.0 + 0.25 * light_.side * across);
      const double neck = std::min({0.09 - side, y + 0.25, 0.1 - y});
      put(edge(neck * px), 0.85 * look.skin * lit);
      const double half = (build.shoulder + 0.04) * (1.0 - 0.12 * std::clamp(y, 0.0, 1.0));
      const double collar = -0.1 + 0.16 * side * side / (half * half);
      const double torso = std::min({half - side, y - collar, 1.05 - y});
      const double cloth_tone =
          1.0 + look.shirt_contrast * (0.5 * cloth.at(9.0 * x, 9.0 * y) + 0.4 * folds.at(4.0 * x, 2.5 * y));
      put(edge(torso * px), look.shirt * cloth_tone * lit);

      const double hx = x / (0.5 * build.head_width),
                   hy = (y + 0.19 + 0.5 * build.head_height) / (0.5 * build.head_height);
      const double head = (1.0 - std::sqrt(hx * hx + hy * hy)) * 0.5 * build.head_width;
      const auto spot = [&](double sx, double sy, double wide, double high) {
        return std::exp(-((hx - sx) * (hx - sx) / (wide * wide) + (hy - sy) * (hy - sy) / (high * high)));
      };
      const double face = 1.0 - 0.6 * (spot(-0.38, -0.05, 0.2, 0.12) + spot(0.38, -0.05, 0.2, 0.12)) -
                          0.45 * spot(0.0, 0.52, 0.32, 0.1) - 0.2 * spot(0.1, 0.2, 0.12, 0.2);
      const double hair = smooth_step((-0.35 + 0.25 * hx * hx - hy) * 4.0 + 0.5);
      const double head_lit = (1.0 - 0.3 * hx * hx) * (1.0 + 0.3 * light_.side * hx);
      put(edge(head * px), std::lerp(look.skin * face, look.hair, hair) * head_lit);

      body_cover_.at(row, column) = static_cast<float>(cover);
      body_light_.at(row, column) = static_cast<float>(std::max(0.0, light) * (cover > 0.0 ? 1.0 : 0.0));
    }
  }
}

// Wall and body, with the body displaced.
void GestureScene::stand(Point sway_px) {
  body_cover_.look(sway_px, cover_);
  body_light_.look(sway_px, stage_);
  for (std::size_t i = 0; i < kPixels; ++i) stage_[i] += (1.0F - cover_[i]) * wall_[i];
  picture_ = stage_;
  standing_px_ = sway_px;
}

Point GestureScene::unproject(Point place) const {
  const double cosine = std::cos(subject_.tilt), sine = std::sin(subject_.tilt);
  const double dx = (place.x - subject_.x_px) / subject_.torso_px, dy = (place.y - subject_.y_px) / subject_.torso_px;
  return {cosine * dx + sine * dy, cosine * dy - sine * dx};
}

Point GestureScene::project(Vec3 point) const {
  const double cosine = std::cos(subject_.tilt), sine = std::sin(subject_.tilt);
  return {subject_.x_px + subject_.torso_px * (cosine * point.x - sine * point.y),
          subject_.y_px + subject_.torso_px * (sine * point.x + cosine * point.y)};
}

double GestureScene::radius_px(double radius, Vec3 at) const {
  return subject_.torso_px * radius * (1.0 + kPerspective * std::max(-1.0, at.z));
}

Box GestureScene::paint_arm(const ArmPose& arm, Side side, Vec3 sway) {
  const Build& build = subject_.build;
  const Vec3 shoulder = shoulder_of(build, side) + sway;
  const auto& [upper, forearm, hand] = arm_material_[static_cast<std::size_t>(side)];
  const auto limb = [&](Vec3 from, Vec3 to, double radius_from, double radius_to, const Material& material) {
    return paint_limb(picture_, kSide, kSide, project(from), project(to), radius_px(radius_from, from),
                      radius_px(radius_to, to), material);
  };
  const Vec3 fingers = arm.hand + 0.09 * normalised(arm.hand - arm.elbow);
  const double thin = 0.72 * build.arm_radius;
  // The forearm is nearer to the camera than what it passes. Its shadow falls on both its sides alike: one on a side of
  // its own would look different clockwise and counter-clockwise.
  Box box = paint_shadow(picture_, cover_, kSide, kSide, project(arm.elbow), project(arm.hand),
                         1.2 * radius_px(build.arm_radius, arm.hand), kShadow);
  box = joined(box, limb(shoulder, arm.elbow, build.arm_radius, 0.85 * build.arm_radius, upper));
  box = joined(box, limb(arm.elbow, arm.hand, 0.85 * build.arm_radius, thin, forearm));
  return joined(box, limb(arm.hand, fingers, build.hand_radius, 0.7 * build.hand_radius, hand));
}

void GestureScene::expose(const Box& box) {
  const auto stray = static_cast<float>(light_.stray);
  for (int y = box.top; y < box.bottom; ++y) {
    const std::size_t begin = static_cast<std::size_t>(y * kSide + box.left);
    const std::size_t end = static_cast<std::size_t>(y * kSide + box.right);
    for (std::size_t i = begin; i < end; ++i) log_[i] = fast_log(picture_[i] + stray);
  }
}

std::span<const float> GestureScene::draw(const FigurePose& pose, double t_s) {
  const Point sway_px{subject_.torso_px * pose.sway.x, subject_.torso_px * pose.sway.y};
  std::array<Box, 2> changed = arm_box_;
  if (std::abs(sway_px.x - standing_px_.x) > kSwayStep_px || std::abs(sway_px.y - standing_px_.y) > kSwayStep_px) {
    stand(sway_px);
    changed = {Box{0, 0, kSide, kSide}, Box{}};
  } else {
    for (const Box& box : arm_box_) {
      for (int y = box.top; y < box.bottom; ++y) {
        const std::size_t begin = static_cast<std::size_t>(y * kSide + box.left);
        std::copy_n(&stage_[begin], box.right - box.left, &picture_[begin]);
      }
    }
  }
  // The arm that is further away first.
  const bool right_first = pose[Side::right].hand.z <= pose[Side::left].hand.z;
  for (const Side side : {right_first ? Side::right : Side::left, right_first ? Side::left : Side::right}) {
    const auto index = static_cast<std::size_t>(side);
    arm_box_[index] = paint_arm(pose[side], side, pose.sway);
    changed[index] = joined(changed[index], arm_box_[index]);
  }
  for (const Box& box : changed) expose(box);

  const double hum = light_.flicker_depth * std::sin(kTau * light_.flicker_hz * t_s);
  const double cloud = light_.drift_depth * std::sin(kTau * kCloud_hz * t_s + cloud_phase_);
  if (hum == 0.0 && cloud == 0.0) return log_;
  const auto offset = static_cast<float>(std::log(1.0 + hum + cloud));
  for (std::size_t i = 0; i < kPixels; ++i) frame_[i] = log_[i] + offset;
  return frame_;
}

}  // namespace synfire::datasets
