#include "datasets/simulate/gesture_subject.hpp"

#include <algorithm>
#include <cmath>

#include "datasets/simulate/draws.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kSubjectStream = 0x535542'01;
constexpr std::uint32_t kDressStream = 0x535542'02;

Look draw_look(Draws& draw) {
  Look look;
  look.background = draw.uniform(0.15, 0.85);
  look.background_contrast = draw.uniform(0.05, 0.4);
  // Nobody was told to dress for the wall, but a camera that sees nothing would have been turned.
  do {
    look.shirt = draw.uniform(0.06, 0.85);
  } while (std::abs(std::log(look.shirt / look.background)) < 0.35);
  look.shirt_contrast = draw.uniform(0.15, 0.6);
  look.trousers = draw.uniform(0.06, 0.5);
  do {
    look.skin = draw.uniform(0.2, 0.75);
  } while (std::abs(std::log(look.skin / look.background)) < 0.2);
  look.hair = draw.uniform(0.05, 0.4);
  look.sleeve = draw.chance(0.5) ? draw.uniform(0.25, 0.5) : draw.uniform(0.8, 0.95);
  return look;
}

void place(Subject& subject, Draws& draw) {
  subject.x_px = draw.normal(64.0, 5.0);
  subject.y_px = draw.normal(46.0, 4.0);
  subject.tilt = draw.normal(0.0, 0.045);
}

}  // namespace

Subject draw_subject(std::uint64_t seed, std::uint32_t number) {
  Draws draw(seed, kSubjectStream, number);
  Subject subject;
  Build& build = subject.build;
  build.shoulder = draw.normal(0.36, 0.03);
  build.upper_arm = draw.normal(0.52, 0.03);
  build.forearm = build.upper_arm * draw.normal(1.1, 0.05);
  build.arm_radius = draw.normal(0.095, 0.012);
  build.hand_radius = draw.normal(0.1, 0.008);
  build.head_width = draw.normal(0.36, 0.02);
  build.head_height = draw.normal(0.46, 0.025);
  Temper& temper = subject.temper;
  temper.tempo = draw.factor(0.2);
  temper.vigour = draw.factor(0.15);
  temper.swivel = draw.normal(0.2, 0.3);
  temper.sway = draw.uniform(0.004, 0.016);
  temper.unrest = draw.uniform(0.02, 0.08);
  subject.torso_px = draw.uniform(35.0, 50.0);
  place(subject, draw);
  subject.look = draw_look(draw);
  return subject;
}

Subject redress(const Subject& subject, std::uint64_t seed, std::uint32_t number, std::uint32_t recording) {
  Draws draw(seed, kDressStream, (number << 8U) | recording);
  Subject changed = subject;
  const Look before = subject.look;
  changed.look = draw_look(draw);
  changed.look.hair = before.hair;
  changed.torso_px *= draw.factor(0.06);
  place(changed, draw);
  return changed;
}

std::optional<Light> find_light(std::string_view name) {
  const auto found =
      std::find_if(kLights.begin(), kLights.end(), [&](const Light& light) { return light.name == name; });
  return found == kLights.end() ? std::nullopt : std::optional(*found);
}

}  // namespace synfire::datasets
