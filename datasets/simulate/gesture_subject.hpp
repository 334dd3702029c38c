#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "datasets/simulate/figure.hpp"
#include "datasets/simulate/gesture_actions.hpp"

namespace synfire::datasets {

/// Reflectances of what is in the picture, 0 to 1, and how they are patterned.
struct Look {
  double background = 0.5;
  double background_contrast = 0.3;
  double shirt = 0.3;
  double shirt_contrast = 0.3;
  double trousers = 0.2;
  double skin = 0.5;
  double hair = 0.15;
  double sleeve = 1.0;  ///< share of the arm that the shirt covers
};

/// A person before the camera.
struct Subject {
  Build build;
  Temper temper;
  Look look;
  double torso_px = 40.0;  ///< pixels per torso height
  double x_px = 64.0;      ///< where the middle between the shoulders is
  double y_px = 46.0;
  double tilt = 0.0;  ///< of the camera, radians
};

/// Person `number`, drawn from `seed`: the same in every recording.
Subject draw_subject(std::uint64_t seed, std::uint32_t number);

/// Person `number` on another day: stands elsewhere, wears something else, and the room has changed.
Subject redress(const Subject& subject, std::uint64_t seed, std::uint32_t number, std::uint32_t recording);

/// The five lights of DVS128 Gesture.
struct Light {
  std::string_view name;
  double stray = 0.05;         ///< light that reaches every pixel, as a share of white: lowers all contrast
  double flicker_depth = 0.0;  ///< amplitude of the mains hum, as a share of the light
  double flicker_hz = 100.0;
  double drift_depth = 0.0;   ///< of slow changes: clouds
  double noise_factor = 1.0;  ///< on the sensor's shot noise
  double side = 0.0;          ///< -1: from the left of the picture, 1: from the right
};
inline constexpr std::array<Light, 5> kLights{{
    {.name = "fluorescent", .stray = 0.06, .flicker_depth = 0.06, .noise_factor = 1.3, .side = 0.1},
    {.name = "fluorescent_led", .stray = 0.05, .flicker_depth = 0.03, .noise_factor = 1.0, .side = 0.3},
    {.name = "lab", .stray = 0.08, .noise_factor = 1.6, .side = -0.3},
    {.name = "led", .stray = 0.03, .flicker_depth = 0.01, .noise_factor = 0.7, .side = 0.6},
    {.name = "natural", .stray = 0.04, .drift_depth = 0.03, .noise_factor = 1.0, .side = -0.7},
}};
std::optional<Light> find_light(std::string_view name);

}  // namespace synfire::datasets
