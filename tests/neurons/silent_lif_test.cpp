#include "neurons/silent_lif.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.hpp"

namespace synfire {

namespace {

using neurons::DecayPowers;
using neurons::first_reached;
using neurons::LeakySilence;

/// One neuron that leaks.
struct Neuron {
  Neuron(float decay, float settle, std::int32_t num_ticks) : settle_(settle), powers_(decay), decay_(decay) {
    powers_.extend(num_ticks);
  }
  LeakySilence course() const {
    return {&settle_, powers_.data(), powers_.last(), std::log(static_cast<double>(decay_))};
  }

 private:
  float settle_;
  DecayPowers powers_;
  float decay_;
};

}  // namespace

TEST_CASE("powers of a decay fall up to the first below 2^-40, or as far as they are asked for") {
  for (const float decay : {0.0F, 0.5F, 0.9F, 0.99F, std::nextafter(1.0F, 0.0F)}) {
    CAPTURE(decay);
    DecayPowers powers(decay);
    powers.extend(5);
    CHECK(powers.last() == (decay == 0.0F ? 1 : 5));
    powers.extend(20'000);
    for (std::int32_t n = 1; n <= powers.last(); ++n) {
      REQUIRE(powers.data()[n] < powers.data()[n - 1]);
      REQUIRE(powers.data()[n - 1] >= 0x1p-40F);
    }
    if (powers.last() < 20'000) CHECK(powers.data()[powers.last()] < 0x1p-40F);
  }
}

TEST_CASE("a membrane decays by a product of rounded products, which no power of the decay gives") {
  int unlike_power = 0;
  for (const float decay : {0.9F, 0.95F, 0.99F}) {
    const Neuron neuron(decay, 0.0F, 200);
    float product = 1.0F;
    for (std::int32_t n = 0; n < 200; ++n, product *= decay) {
      CHECK(neuron.course().at(1.0F, 0, n) == product);
      unlike_power += product == static_cast<float>(std::pow(static_cast<double>(decay), n)) ? 0 : 1;
    }
  }
  CHECK(unlike_power > 300);
}

TEST_CASE(
    "with decay 0.9 and a drive of 0.15 a membrane is at 0.97698234 after 10 ticks and reaches 1 in the eleventh") {
  const Neuron neuron(0.9F, 1.5F, 100);
  const LeakySilence course = neuron.course();
  // Eleven roundings of 2^-24 each in the power, times at most 1.5; three more behind it.
  constexpr double kRounding = 14 * 1.5 * 0x1p-24;
  CHECK(std::abs(static_cast<double>(course.at(0.0F, 0, 10)) - 0.97698234) <= kRounding + 5e-9);
  CHECK(std::abs(static_cast<double>(course.at(0.0F, 0, 11)) - 1.029284106) <= kRounding + 5e-10);
  CHECK(course.crossing(0.0F, 0, 1.0) == doctest::Approx(10.4271726634).epsilon(1e-6));  // 0.9F is not 0.9
}

TEST_CASE("a membrane that the formula puts at its threshold for ever is rounded up to it, and that is foreseen") {
  const Neuron neuron(0.5F, 1.0F, 100);
  const LeakySilence course = neuron.course();
  CHECK(course.at(0.0F, 0, 24) < 1.0F);
  CHECK(course.at(0.0F, 0, 25) == 1.0F);
  CHECK(std::isinf(course.crossing(0.0F, 0, 1.0)));
  CHECK(std::ceil(course.crossing(0.0F, 0, neurons::rounds_up_to(1.0F))) == 25.0);
}

TEST_CASE("the first tick at the threshold is found from a logarithm as it is by looking at every tick") {
  int steps = 0, found = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    const RandomStream random(seed, 3, 0);
    const float decay = std::vector{0.5F, 0.9F, 0.99F, 0.9999F}[random.below(0, 4)];
    const float v = static_cast<float>(2.0 * random.uniform(1) - 1.0);
    // A few numbers above the threshold, or further.
    const float settle = random.below(2, 3) == 0 ? 1.0F + static_cast<float>(random.below(3, 4)) * 0x1p-23F
                                                 : static_cast<float>(1.0 + 2.0 * random.uniform(4));
    constexpr std::int32_t kTicks = 4000;
    const Neuron neuron(decay, settle, kTicks);
    const LeakySilence course = neuron.course();
    if (course.at(v, 0, kTicks) < 1.0F) continue;
    std::int32_t wanted = 1;
    while (course.at(v, 0, wanted) < 1.0F) ++wanted;

    const double proposed = course.crossing(v, 0, neurons::rounds_up_to(1.0F));
    const std::int32_t got = first_reached(0, kTicks, proposed, [&](std::int32_t n) {
      ++steps;
      return course.at(v, 0, n) >= 1.0F;
    });

    CHECK(got == wanted);
    ++found;
  }
  CHECK(found > 2000);
  CHECK(steps < 3 * found);  // the logarithm is next to the truth: two looks, now and then a third
}

TEST_CASE("wherever the search begins, it ends at the first tick") {
  for (std::int32_t first = 1; first <= 40; ++first) {
    for (const double proposed : {-1.0, 0.0, 0.5, 7.2, 39.5, 41.0, HUGE_VAL, std::nan("")}) {
      CAPTURE(first);
      CAPTURE(proposed);
      CHECK(first_reached(0, 40, proposed, [&](std::int32_t n) { return n >= first; }) == first);
    }
  }
}

}  // namespace synfire
