#include "datasets/simulate/basilar_membrane.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include "datasets/simulate/hankel.hpp"
#include "datasets/simulate/lane_fft.hpp"
#include "datasets/simulate/membrane_filter.hpp"

using namespace synfire::datasets;
using Complex = std::complex<double>;

namespace {

struct HankelCase {
  Complex z, value;
};
/// hankel1(0, z) of mpmath 1.3.0 with 30 digits.
const std::vector<HankelCase> kHankel{
    {{0.001, 0.0}, {0.99999975, -4.47141661138}},         {{0.5, 0.25}, {0.606001346006, -0.435835516119}},
    {{3.0, 0.0}, {-0.260051954902, 0.376850010013}},      {{6.5, 0.1}, {0.234057496335, -0.158496259182}},
    {{8.9, 0.1}, {-0.0577189918901, 0.234777030268}},     {{9.0, 0.1}, {-0.0804690902302, 0.226559940524}},
    {{6.0, 7.0}, {1.49255507696e-5, -0.000236730883541}}, {{20.0, 30.0}, {1.22968734448e-14, -1.58553995696e-15}},
    {{0.01, 8.0}, {9.8909217966e-7, -9.32408665671e-5}},
};

struct VelocityCase {
  double f_hz, place_cm;
  Complex value;
};
/// The equations of docs/simulators.md in mpmath 1.3.0 with 30 digits; the phase not in closed form, but by quadrature
/// of the wave number.
const std::vector<VelocityCase> kVelocity{
    {100, 3.4, {-170.796658951, -13.004361157}},    {100, 1, {0.0933646162901, 0.442662158726}},
    {1000, 0, {1.11842401176, 0.701882101806}},     {1000, 2, {-6.70391550864, -169.948079222}},
    {1000, 2.2, {-1.46562730486, -0.685354611711}}, {5000, 1, {24.0914990897, -49.4532466792}},
    {15000, 0.25, {56.9201111984, -25.9514024185}}, {20000, 0.5, {0.00237680775763, 0.000998140696222}},
};

struct ImpulseCase {
  int sample;
  double velocity;
};
/// Channel 350 of 700, samples of 24 kHz from an impulse on: numpy 2 sums all 65,536 frequencies of a spectrum four
/// times as fine as ours, with Hankel functions of SciPy 1.17 and the phase from Gauss-Legendre quadrature.
const std::vector<ImpulseCase> kImpulse{
    {-140, 0.122090932},  {-130, -0.182652428}, {-120, 0.0239907825}, {-110, 0.306612702},
    {-100, -0.503727524}, {-90, 0.17809591},    {-80, 0.648271129},   {-70, -1.39776538},
    {-60, 1.2053442},     {-50, 0.122938129},   {-40, -2.05482825},   {-30, 2.92960907},
    {-20, -1.04676588},   {-10, -0.403189537},  {0, 0.026169337},     {10, 0.0181211182},
};

}  // namespace

TEST_CASE("the Hankel function is that of mpmath") {
  for (const HankelCase& known : kHankel) {
    CAPTURE(known.z.real());
    CAPTURE(known.z.imag());
    CHECK(std::abs(hankel1_0(known.z) - known.value) < 1e-7 * std::abs(known.value));  // its contract
  }
}

TEST_CASE("the velocity of the membrane is that of the equations, integrated numerically") {
  for (const VelocityCase& known : kVelocity) {
    CAPTURE(known.f_hz);
    CAPTURE(known.place_cm);
    const Complex v = MembraneWave({}, known.f_hz).velocity(known.place_cm);
    // Two Hankel functions of 1e-7 each; all else is rounding.
    CHECK(std::abs(v - known.value) < 2e-7 * std::abs(known.value));
  }
}

TEST_CASE(
    "the membrane resonates at ever lower tones from base to apex, a little below where stiffness balances mass") {
  const MembraneParams params;
  constexpr int kPlaces = 36;
  double last_hz = 1e9;
  for (int i = 0; i < kPlaces; ++i) {
    const double place = params.length_cm * i / (kPlaces - 1);
    // The peak on a grid of a third of a semitone, 2 %.
    double best_hz = 0.0, best = 0.0;
    for (double f_hz = 50.0; f_hz < 24000.0; f_hz *= 1.02) {
      const double here = std::abs(MembraneWave(params, f_hz).velocity(place));
      if (here > best) {
        best = here;
        best_hz = f_hz;
      }
    }
    CAPTURE(place);
    CHECK(best_hz < last_hz);
    // Damping and what the wave has lost on its way move the peak down, but no further than this.
    CHECK(best_hz > 0.85 * membrane_resonance_hz(params, place));
    CHECK(best_hz < 1.02 * membrane_resonance_hz(params, place));
    last_hz = best_hz;
  }
  CHECK(last_hz < 110.0);
}

TEST_CASE("eight inverse transforms at once are those of the definition") {
  for (const std::size_t length : {4U, 8U, 32U, 64U}) {
    const LaneFft fft(length);
    std::vector<Lanes> values(length);
    const auto input = [](std::size_t k, std::size_t lane) {
      return std::sin(1.3 * static_cast<double>(k * k) + static_cast<double>(lane));
    };
    for (std::size_t k = 0; k < length; ++k)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        values[fft.slot(k)].set(lane, static_cast<float>(input(k, lane)));

    fft.inverse(values);

    for (std::size_t n = 0; n < length; ++n)
      for (std::size_t lane = 0; lane < kHalf; ++lane) {
        Complex sum = 0.0;
        for (std::size_t k = 0; k < length; ++k)
          sum += Complex{input(k, lane), input(k, lane + kHalf)} *
                 std::polar(1.0, 2.0 * std::numbers::pi * static_cast<double>(k * n) / static_cast<double>(length));
        // log2(length) steps, each with an error of a few roundings of numbers up to `length`.
        const double bound = 4.0 * std::log2(length) * static_cast<double>(length) * 0x1.0p-24;
        REQUIRE(std::abs(sum - Complex{values[n].get(lane), values[n].get(lane + kHalf)}) < bound);
      }
  }
}

TEST_CASE("the impulse response of a channel is that of the whole spectrum, summed directly") {
  constexpr std::ptrdiff_t kImpulseAt = 4000;  // in the middle of the first block
  constexpr int kChannel = 350;
  const MembraneFilter filter({}, 700);
  std::vector<float> sound(12000, 0.0F);
  sound[2 * kImpulseAt] = 1.0F;
  MembraneFilter::Work work = filter.make_work();
  filter.hear(sound, 0, work);

  const auto velocity = filter.group_velocity(kChannel / kLanes, work);

  for (const ImpulseCase& known : kImpulse) {
    CAPTURE(known.sample);
    const float v = velocity[static_cast<std::size_t>(kImpulseAt + known.sample)].get(kChannel % kLanes);
    // Of the peak, 2.93: what is left out of the spectrum is below 1e-5 of it, the transform's floats round to 1e-6.
    CHECK(std::abs(v - known.velocity) < 2.93 * 2e-5);
  }
}

TEST_CASE("a block continues where the one before it ends") {
  const MembraneFilter filter({}, 16);
  constexpr std::size_t kEdge = 2 * static_cast<std::size_t>(MembraneFilter::kBlock);
  std::vector<float> sound(2 * kEdge, 0.0F), later(2 * kEdge, 0.0F);
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto x = static_cast<float>(std::sin(0.05 * static_cast<double>(i)) *
                                      std::sin(std::numbers::pi * static_cast<double>(i) / 3000.0));
    sound[kEdge - 1500 + i] = x;
    later[kEdge + 4000 + i] = x;
  }
  MembraneFilter::Work work = filter.make_work();
  const auto listen = [&](const std::vector<float>& what, std::ptrdiff_t block) {
    filter.hear(what, block, work);
    const auto velocity = filter.group_velocity(0, work);
    return std::vector<Lanes>(velocity.begin(), velocity.end());
  };

  const std::vector<Lanes> before = listen(sound, 0), after = listen(sound, 1), whole = listen(later, 1);

  // The same sound 2,750 samples of velocity later, all in one block.
  float largest = 0.0F;
  for (std::size_t i = 1000; i < 6000; ++i)
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t n = static_cast<std::size_t>(MembraneFilter::kBlock) + i - 2750;
      const float cut = n < before.size() ? before[n].get(lane) : after[n - before.size()].get(lane);
      largest = std::max(largest, std::abs(whole[i].get(lane)));
      // What rings longer than a block's margins is below 1e-3 of the response.
      REQUIRE(std::abs(cut - whole[i].get(lane)) < 0.02F);
    }
  CHECK(largest > 20.0F);
}
