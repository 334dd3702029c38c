#include "datasets/simulate/cochlea.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "datasets/simulate/auditory_nerve.hpp"
#include "datasets/simulate/bushy_cell.hpp"
#include "datasets/simulate/hair_cell.hpp"
#include "tests/support/data_folder.hpp"

using namespace synfire;
using namespace synfire::datasets;

namespace {

Lanes all(float value) {
  Lanes lanes;
  lanes.fill(value);
  return lanes;
}

CochleaConfig ear(int num_channels) {
  CochleaConfig config;
  config.num_channels = num_channels;
  return config;
}

/// [2, N] doubles of an .npz without compression: times in seconds, then channels.
SpikeTrain read_npz(const std::filesystem::path& file) {
  const std::string bytes = read_whole_file(file);
  const std::size_t header = bytes.find("\x93NUMPY");
  REQUIRE(header != std::string::npos);
  const auto shape = bytes.find("'shape': (2, ", header);
  const std::size_t count = std::stoul(bytes.substr(shape + 13));
  const std::size_t header_length =
      static_cast<unsigned char>(bytes[header + 8]) + 256U * static_cast<unsigned char>(bytes[header + 9]);
  std::vector<double> values(2 * count);
  std::memcpy(values.data(), bytes.data() + header + 10 + header_length, values.size() * sizeof(double));
  SpikeTrain train;
  for (std::size_t i = 0; i < count; ++i) {
    train.t_s.push_back(static_cast<float>(values[i]));
    train.channel.push_back(static_cast<std::uint16_t>(values[count + i]));
  }
  return train;
}

/// Spikes in boxes of `width_s` and `channels`, of 70 channels in 0.8 s.
std::vector<double> histogram(const SpikeTrain& train, int channels, double width_s) {
  const auto columns = static_cast<std::size_t>(std::lround(0.8 / width_s));
  std::vector<double> counts((70 / channels) * columns);
  for (std::size_t i = 0; i < train.t_s.size(); ++i) {
    const std::size_t column = std::min(columns - 1, static_cast<std::size_t>(train.t_s[i] / width_s));
    counts[train.channel[i] / channels * columns + column] += 1.0;
  }
  return counts;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double ma = 0.0, mb = 0.0, ab = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ma += a[i] / static_cast<double>(a.size());
    mb += b[i] / static_cast<double>(b.size());
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i] - mb) * (b[i] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

struct Moments {
  double mean = 0.0, deviation = 0.0;
};
Moments moments(const std::vector<double>& values) {
  Moments result;
  for (const double x : values) result.mean += x / static_cast<double>(values.size());
  for (const double x : values) result.deviation += (x - result.mean) * (x - result.mean);
  result.deviation = std::sqrt(result.deviation / static_cast<double>(values.size() - 1));
  return result;
}

}  // namespace

TEST_CASE("a hair cell in silence stays at the rest values of Meddis' equations") {
  HairCells cells(24000.0F);
  // With all derivatives 0: k = g A / (A + B), q = c (l + r) / k, w = c r / x, c = y k / (l k + y (l + r)).
  const double k = 2000.0 * 5.0 / 305.0;
  const double c = 5.05 * k / (2500.0 * k + 5.05 * 9080.0);
  Lanes probability;
  for (int i = 0; i < 24000; ++i) cells.step(all(0.0F), probability);

  CHECK(cells.c().get(3) == doctest::Approx(c).epsilon(1e-4));
  CHECK(cells.q().get(3) == doctest::Approx(c * 9080.0 / k).epsilon(1e-4));
  CHECK(cells.w().get(12) == doctest::Approx(c * 6580.0 / 66.3).epsilon(1e-4));
  CHECK(probability.get(0) == doctest::Approx(50000.0 / 24000.0 * c).epsilon(1e-4));
  CHECK(c == doctest::Approx(0.00129533).epsilon(1e-5));
}

TEST_CASE("a hair cell follows the equations, stepped in double") {
  HairCells cells(24000.0F);
  const double dt = 1.0 / 24000.0, k0 = 2000.0 * 5.0 / 305.0;
  double c = 5.05 * k0 / (2500.0 * k0 + 5.05 * 9080.0), q = c * 9080.0 / k0, w = c * 6580.0 / 66.3;
  Lanes probability;
  for (int i = 0; i < 2400; ++i) {
    const double s = 100.0 * std::sin(0.26 * i);  // 1 kHz, loud enough to close the channel half of the time
    const double k = s + 5.0 > 0.0 ? 2000.0 * (s + 5.0) / (s + 305.0) : 0.0;
    const double dq = (q < 1.0 ? 5.05 * (1.0 - q) : 0.0) - k * q + 66.3 * w;
    const double dc = k * q - 9080.0 * c, dw = 6580.0 * c - 66.3 * w;
    q = std::max(q + dt * dq, 0.0);
    c = std::max(c + dt * dc, 0.0);
    w = std::max(w + dt * dw, 0.0);
    cells.step(all(static_cast<float>(s)), probability);
    // Floats round to 6e-8 in each of the steps that w remembers, 24000 / 66.3.
    REQUIRE(probability.get(5) == doctest::Approx(50000.0 * dt * c).epsilon(1e-4));
  }
}

TEST_CASE("fibres fire as 40 coins do that rest for 1 ms after a head") {
  AuditoryNerves nerves;
  constexpr int kSamples = 48000;
  constexpr double kP = 0.05;
  Lanes spikes, uniform;
  LaneUniform random(7, 1, 0, 0);
  double total = 0.0;
  for (int i = 0; i < kSamples; ++i) {
    random.next(uniform);
    nerves.step(all(static_cast<float>(kP)), uniform, spikes);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      REQUIRE(spikes.get(lane) >= 0.0F);
      total += spikes.get(lane);
    }
  }
  // A renewal process: mean gap 23 + 1/p samples, variance (1 - p) / p^2; counts in time T have mean T / gap and
  // variance T var / gap^3.
  const double gap = 23.0 + 1.0 / kP, variance = (1.0 - kP) / (kP * kP);
  const double fibres = 40.0 * kLanes;
  const double expected = fibres * kSamples / gap;
  const double deviation = std::sqrt(fibres * kSamples * variance / (gap * gap * gap));
  // And one for the start, when all are ready.
  CHECK(std::abs(total - expected) < 4.0 * deviation + fibres);

  AuditoryNerves one;
  one.step(all(1.0F), all(0.5F), spikes);
  CHECK(spikes.get(0) == 40.0F);
  for (std::size_t i = 1; i < AuditoryNerves::kRefractory; ++i) {
    one.step(all(1.0F), all(0.5F), spikes);
    CHECK(spikes.get(0) == 0.0F);
  }
  one.step(all(1.0F), all(0.5F), spikes);
  CHECK(spikes.get(0) == 40.0F);
}

TEST_CASE("the number of fibres that fire is drawn from the binomial distribution") {
  // For each number of the grid of random numbers, the count must be the quantile of B(40, p).
  constexpr double kP = 0.1;
  std::vector<double> cumulative(41);
  double term = std::pow(1.0 - kP, 40), sum = 0.0;
  for (int k = 0; k <= 40; ++k) {
    sum += term;
    cumulative[static_cast<std::size_t>(k)] = sum;
    term *= (40.0 - k) / (k + 1.0) * kP / (1.0 - kP);
  }
  for (int i = 0; i < 1000; ++i) {
    const double u = (i + 0.5) / 1000.0;
    AuditoryNerves nerves;
    Lanes spikes;
    nerves.step(all(static_cast<float>(kP)), all(static_cast<float>(u)), spikes);
    const auto quantile = std::upper_bound(cumulative.begin(), cumulative.end(), u) - cumulative.begin();
    CAPTURE(u);
    REQUIRE(spikes.get(9) == static_cast<float>(quantile));
  }
}

TEST_CASE("random numbers of sixteen channels are those of the stream's elements") {
  LaneUniform random(0x123456789ABCDEFULL, 11, 5, 32);
  const RandomStream stream(0x123456789ABCDEFULL, 11, 5);
  Lanes uniform;
  for (std::uint32_t sample = 0; sample < 20; ++sample) {
    random.next(uniform);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::uint32_t word = stream.words(((32 + lane) << 32U) | (sample / 8))[sample % 8 / 2];
      const std::uint32_t half = sample % 2 == 0 ? word & 0xFFFFU : word >> 16U;
      REQUIRE(uniform.get(lane) == (static_cast<float>(half) + 0.5F) / 65536.0F);
    }
  }
}

TEST_CASE("a bushy cell waits for many spikes at once, and rests for 1 ms") {
  // 40 spikes together: v = 40 * 13000 / (24000 * 40) = 0.542, then 0.542 e^(-1/24) + 0.542 e^(-1/12) = 1.018.
  BushyCells cells(24000.0, 40);
  CHECK(cells.step(all(40.0F)) == 0);
  CHECK(cells.step(all(0.0F)) == 0xFFFF);
  // 24 samples at 0; meanwhile the current falls to e^(-26/12) of 40, too little for a second spike.
  for (int i = 0; i < 200; ++i) CHECK(cells.step(all(0.0F)) == 0);

  BushyCells few(24000.0, 40);
  Lanes spikes;
  spikes.set(4, 40.0F);
  // n spikes together lift v to n 13000 / 960000 * 24 / 4 = 0.081 n at most, where e^(-t/24) - e^(-t/12) is 1/4.
  spikes.set(5, 11.0F);
  CHECK(few.step(spikes) == 0);
  CHECK(few.step(all(0.0F)) == std::uint32_t{1} << 4U);
  for (int i = 0; i < 200; ++i) CHECK(few.step(all(0.0F)) == 0);

  BushyCells driven(24000.0, 40);
  std::vector<int> fired;
  for (int i = 0; i < 200; ++i)
    if (driven.step(all(40.0F)) != 0) fired.push_back(i);
  // First at sample 1 as above; then with the current near 40 / (1 - e^(-1/12)) = 500 one sample is enough.
  REQUIRE(fired.size() > 2);
  CHECK(fired[0] == 1);
  CHECK(fired[1] == 26);
  CHECK(fired[2] == 51);
}

TEST_CASE("sound is brought to one level, raised and lowered by half a Hann window each") {
  const Audio audio{48000, {0.1F, -0.1F, 0.1F, -0.1F, 0.1F}};

  const std::vector<float> sound = prepare_sound(audio);

  // 0.3 / 0.1 of it; the window of 2 * floor(5 / 2) = 4 points is 0, 3/4, and the middle sample stays.
  const std::vector<float> expected{0.0F, -0.225F, 0.3F, -0.225F, 0.0F};
  REQUIRE(sound.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(sound[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  CHECK(prepare_sound({48000, {0.0F, 0.0F}}) == std::vector<float>{0.0F, 0.0F});
  CHECK(prepare_sound({48000, {}}).empty());
  CHECK(prepare_sound({48000, {0.5F}}).size() == 1);
}

TEST_CASE("silence and the shortest sounds are heard without harm") {
  const Cochlea cochlea(ear(20));
  CHECK(cochlea.hear({8000, {}}, 0).t_s.empty());
  CHECK(cochlea.hear({8000, {0.5F}}, 0).t_s.empty());
  CHECK(cochlea.hear({8000, std::vector<float>(8000, 0.0F)}, 0).t_s.size() < 200);
  CHECK_THROWS_AS(Cochlea(ear(0)), ConfigError);
}

TEST_CASE("a tone is heard where the membrane resonates, sorted, and the same again") {
  const Cochlea cochlea(ear(100));
  Audio tone{16000, std::vector<float>(16000)};
  for (std::size_t i = 0; i < tone.samples.size(); ++i)
    tone.samples[i] = static_cast<float>(std::sin(2.0 * std::numbers::pi * 1000.0 / 16000.0 * static_cast<double>(i)));

  const SpikeTrain train = cochlea.hear(tone, 3);

  std::vector<int> counts(100);
  for (std::size_t i = 0; i < train.t_s.size(); ++i) {
    ++counts[train.channel[i]];
    if (i == 0) continue;
    REQUIRE(train.t_s[i] >= train.t_s[i - 1]);
    REQUIRE((train.t_s[i] > train.t_s[i - 1] || train.channel[i] > train.channel[i - 1]));
  }
  const auto loudest = std::max_element(counts.begin(), counts.end()) - counts.begin();
  // 22.5 kHz exp(-1.5 c) is 1 kHz at c = 2.08 cm, channel 59; the wave is large a little before.
  CHECK(loudest >= 50);
  CHECK(loudest <= 60);
  CHECK(cochlea.hear(tone, 3).t_s == train.t_s);
  CHECK(cochlea.hear(tone, 4).t_s != train.t_s);
  CHECK(train.t_s.back() < 1.0F);
}

// The authors' converter gave these spikes, but not its random numbers; two versions of it differ in the stiffness.
TEST_CASE("spikes of the SHD authors' converter cannot be told from ours") {
  const auto data = test::data_folder();
  if (!data) return;
  const Audio audio = read_audio(*data / "shd_like" / "spoken_digit.flac");
  struct Case {
    const char* file;
    double stiffness;
  };
  for (const Case& known : {Case{"lauscher_reference_70ch.npz", 1e8}, Case{"lauscher_my_first_70ch.npz", 1e9}}) {
    const SpikeTrain theirs = read_npz(*data / "shd_like" / known.file);
    CochleaConfig config = ear(70);
    config.membrane.stiffness = known.stiffness;
    const Cochlea cochlea(config);
    constexpr std::size_t kRuns = 40;
    std::vector<SpikeTrain> runs;
    for (std::uint32_t i = 0; i < kRuns; ++i) runs.push_back(cochlea.hear(audio, i));
    const std::string file = known.file;
    CAPTURE(file);

    std::vector<double> sizes;
    for (const SpikeTrain& run : runs) sizes.push_back(static_cast<double>(run.t_s.size()));
    const Moments size = moments(sizes);
    const auto their_size = static_cast<double>(theirs.t_s.size());
    MESSAGE(file, ": ", their_size, " spikes, ours ", size.mean, " +- ", size.deviation);
    CHECK(std::abs(their_size - size.mean) < 3.0 * size.deviation);
    CHECK(size.deviation < 0.05 * size.mean);

    // Against the mean of our runs, theirs must correlate as one of ours does against the mean of the others.
    const auto compare = [&](int channels, double width_s) {
      std::vector<std::vector<double>> ours;
      for (const SpikeTrain& run : runs) ours.push_back(histogram(run, channels, width_s));
      std::vector<double> sum(ours[0].size());
      for (const auto& counts : ours)
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += counts[i];
      std::vector<double> own;
      for (const auto& counts : ours) {
        std::vector<double> others = sum;
        for (std::size_t i = 0; i < sum.size(); ++i) others[i] -= counts[i];
        own.push_back(correlation(counts, others));
      }
      const double r = correlation(histogram(theirs, channels, width_s), sum);
      const Moments usual = moments(own);
      MESSAGE(channels, " channels, ", width_s, " s: r = ", r, ", of our own ", usual.mean, " +- ", usual.deviation);
      CHECK(r > usual.mean - 3.0 * usual.deviation);
      return r;
    };
    CHECK(compare(1, 0.8) > 0.95);    // channel by channel
    CHECK(compare(10, 0.02) > 0.95);  // bands of ten channels over time
    compare(70, 0.005);
    compare(1, 0.005);  // mostly boxes of one spike or none: noise bounds r for everyone
  }
}
