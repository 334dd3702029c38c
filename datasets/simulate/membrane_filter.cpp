#include "datasets/simulate/membrane_filter.hpp"

#include <algorithm>
#include <cmath>
#include <complex>

#include "core/parallel.hpp"

namespace synfire::datasets {

namespace {

/// The frequency that stands for bin `k`: the published chain counts from 1 Hz to the Nyquist frequency, not from 0.
double bin_frequency_hz(std::size_t k, std::size_t num_bins) {
  const double nyquist_hz = MembraneFilter::kSoundRateHz / 2.0;
  return 1.0 + static_cast<double>(k) * (nyquist_hz - 1.0) / static_cast<double>(num_bins);
}

}  // namespace

MembraneFilter::MembraneFilter(const MembraneParams& params, int num_channels) : num_channels_(num_channels) {
  constexpr std::size_t kBins = kSpectrum / 2;
  constexpr double kSilence = 1e-10;  // of the largest power of the group
  groups_.resize((static_cast<std::size_t>(num_channels) + kLanes - 1) / kLanes);
  std::vector<MembraneWave> waves;
  waves.reserve(kBins);
  for (std::size_t k = 0; k < kBins; ++k) waves.emplace_back(params, bin_frequency_hz(k, kBins));
  parallel_for(static_cast<std::ptrdiff_t>(groups_.size()), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t group = begin; group < end; ++group) {
      std::vector<Lanes>& response = groups_[static_cast<std::size_t>(group)];
      double largest = 0.0;
      for (const MembraneWave& wave : waves) {
        Lanes real, imaginary;
        double largest_here = 0.0;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          const int channel = std::min(static_cast<int>(group * kLanes + lane), num_channels - 1);
          const double place = params.length_cm * channel / std::max(num_channels - 1, 1);
          const std::complex<double> v = wave.velocity(place);
          largest_here = std::max(largest_here, std::norm(v));
          // 2 / kSpectrum makes the inverse transform of half the spectrum an amplitude, half of it for each of the
          // two places where `group_velocity` puts it.
          real.set(lane, static_cast<float>(v.real() / static_cast<double>(kSpectrum)));
          imaginary.set(lane, static_cast<float>(v.imag() / static_cast<double>(kSpectrum)));
        }
        largest = std::max(largest, largest_here);
        if (largest_here < kSilence * largest) break;
        response.push_back(real);
        response.push_back(imaginary);
      }
    }
  });
}

MembraneFilter::Work MembraneFilter::make_work() const {
  return {std::vector<Lanes>(sound_fft_.length()), std::vector<Lanes>(velocity_fft_.length())};
}

void MembraneFilter::hear(std::span<const float> sound, std::ptrdiff_t block, Work& work) const {
  const std::ptrdiff_t first = 2 * kBlock * block - static_cast<std::ptrdiff_t>(kBefore);
  std::fill(work.sound.begin(), work.sound.end(), Lanes{});
  for (std::size_t n = 0; n < kSpectrum; ++n) {
    const std::ptrdiff_t i = first + static_cast<std::ptrdiff_t>(n);
    if (i >= 0 && i < static_cast<std::ptrdiff_t>(sound.size()))
      work.sound[sound_fft_.slot(n)].set(0, sound[static_cast<std::size_t>(i)]);
  }
  // The spectrum of what is real is the conjugate of this.
  sound_fft_.inverse(work.sound);
}

std::span<const Lanes> MembraneFilter::group_velocity(std::size_t group, Work& work) const {
  const std::vector<Lanes>& response = groups_[group];
  const std::size_t length = velocity_fft_.length();
  std::fill(work.velocity.begin(), work.velocity.end(), Lanes{});
  // Two real channels share a complex lane: z = Re y_a + i Re y_b. The real part of y has the spectrum
  // (Y[k] + conj Y[-k]) / 2, so that every Y[k] goes to k and to -k.
  for (std::size_t k = 0; k < response.size() / 2; ++k) {
    const float re = work.sound[k].get(0);
    const float im = -work.sound[k].get(kHalf);
    const Lanes& vr = response[2 * k];
    const Lanes& vi = response[2 * k + 1];
    const Float8 ar = vr.half[0] * re - vi.half[0] * im, ai = vr.half[0] * im + vi.half[0] * re;
    const Float8 br = vr.half[1] * re - vi.half[1] * im, bi = vr.half[1] * im + vi.half[1] * re;
    Lanes& up = work.velocity[velocity_fft_.slot(k)];
    up.half[0] += ar - bi;
    up.half[1] += ai + br;
    Lanes& down = work.velocity[velocity_fft_.slot((length - k) % length)];
    down.half[0] += ar + bi;
    down.half[1] += br - ai;
  }
  velocity_fft_.inverse(work.velocity);
  return std::span<const Lanes>(work.velocity).subspan(kBefore / 2, static_cast<std::size_t>(kBlock));
}

}  // namespace synfire::datasets
