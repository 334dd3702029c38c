#include "apps/simulate/generated_input.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "core/atomic_file.hpp"
#include "core/random.hpp"

namespace synfire::apps {

namespace {

constexpr std::uint32_t kPoissonStream = 0x51A70001U, kPhaseStream = 0x51A70002U;
constexpr std::ptrdiff_t kMostElements = std::ptrdiff_t{1} << 28U;  // a GiB of floats
constexpr int kMostCount = 63;                                      // well within what the event engine takes
/// Mean of a tick for which a count beyond the largest has a probability below 1e-17.
constexpr double kMostPoisson = 16.0;

Tensor<float> empty_input(std::ptrdiff_t num_ticks, const Shape& tick) {
  check_input_size(num_ticks, tick);
  return Tensor<float>(tick.prepend(1).prepend(num_ticks));
}

/// The number of events that a uniform number stands for, by the sum of the probabilities from 0 on.
int poisson_count(double mean, double uniform) {
  int count = 0;
  double probability = std::exp(-mean), sum = probability;
  while (uniform >= sum && count < kMostCount) {
    ++count;
    probability *= mean / count;
    sum += probability;
  }
  return count;
}

void fire_at_random(double per_tick, std::uint64_t seed, std::ptrdiff_t size, Tensor<float>& out) {
  for (std::ptrdiff_t t = 0; t < out.shape()[0]; ++t) {
    const RandomStream random(seed, kPoissonStream, static_cast<std::uint32_t>(t));
    for (std::ptrdiff_t n = 0; n < size; ++n) {
      out[t * size + n] = static_cast<float>(poisson_count(per_tick, random.uniform(static_cast<std::uint64_t>(n))));
    }
  }
}

void fire_regularly(double per_tick, std::uint64_t seed, std::ptrdiff_t size, Tensor<float>& out) {
  const RandomStream random(seed, kPhaseStream, 0);
  for (std::ptrdiff_t n = 0; n < size; ++n) {
    const double phase = random.uniform(static_cast<std::uint64_t>(n));
    for (std::ptrdiff_t t = 0; t < out.shape()[0]; ++t) {
      const double before = static_cast<double>(t) * per_tick, after = static_cast<double>(t + 1) * per_tick;
      out[t * size + n] = static_cast<float>(std::floor(after + phase) - std::floor(before + phase));
    }
  }
}

struct InputSpike {
  std::int64_t tick = 0, neuron = 0;
  int line = 0;
};

std::vector<InputSpike> read_spikes(const std::filesystem::path& file, const Shape& tick) {
  const std::string content = read_whole_file(file);
  std::vector<InputSpike> spikes;
  std::string_view rest = content;
  for (int line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty() || (line == 1 && text == "tick,neuron")) continue;
    InputSpike spike{.line = line};
    const char* const last = text.data() + text.size();
    const auto [comma, tick_status] = std::from_chars(text.data(), last, spike.tick);
    const bool has_comma = tick_status == std::errc() && comma != last && *comma == ',';
    const auto [behind, neuron_status] = std::from_chars(has_comma ? comma + 1 : last, last, spike.neuron);
    if (!has_comma || neuron_status != std::errc() || behind != last) {
      throw FormatError(file.string(), fmt::format("line {}: expected tick,neuron in whole numbers, got \"{}\"", line,
                                                   text.substr(0, 40)));
    }
    if (spike.tick < 0 || spike.tick >= kMostTicks) {
      throw FormatError(file.string(),
                        fmt::format("line {}: ticks are 0 to {}, got {}", line, kMostTicks - 1, spike.tick));
    }
    if (spike.neuron < 0 || spike.neuron >= tick.size()) {
      throw FormatError(file.string(), fmt::format("line {}: the network reads {}, so neurons are 0 to {}, got {}",
                                                   line, tick.text(), tick.size() - 1, spike.neuron));
    }
    spikes.push_back(spike);
  }
  return spikes;
}

Tensor<float> input_from_file(const std::filesystem::path& file, const Shape& tick,
                              std::optional<std::ptrdiff_t> num_ticks) {
  const std::vector<InputSpike> spikes = read_spikes(file, tick);
  std::ptrdiff_t needed = 1;
  for (const InputSpike& spike : spikes) needed = std::max<std::ptrdiff_t>(needed, spike.tick + 1);
  Tensor<float> out = empty_input(num_ticks.value_or(needed), tick);
  for (const InputSpike& spike : spikes) {
    if (spike.tick >= out.shape()[0]) continue;
    float& count = out[spike.tick * tick.size() + spike.neuron];
    if (++count > static_cast<float>(kMostCount)) {
      throw FormatError(file.string(), fmt::format("line {}: more than {} spikes of neuron {} in tick {}", spike.line,
                                                   kMostCount, spike.neuron, spike.tick));
    }
  }
  return out;
}

}  // namespace

void check_input_size(std::ptrdiff_t num_ticks, const Shape& tick) {
  if (num_ticks < 1 || num_ticks > kMostTicks || num_ticks > kMostElements / std::max<std::ptrdiff_t>(1, tick.size())) {
    throw UsageError(fmt::format("--ticks: expected 1 to {} for an input of shape {}, got {}",
                                 std::min(kMostTicks, kMostElements / std::max<std::ptrdiff_t>(1, tick.size())),
                                 tick.text(), num_ticks));
  }
}

GeneratedInput parse_generated_input(const std::string& text) {
  GeneratedInput input;
  if (text.ends_with(".csv")) return {GeneratedInput::Kind::file, 0.0, text};
  const std::size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  if (kind == "regular") input.kind = GeneratedInput::Kind::regular;
  const char* const last = text.data() + text.size();
  const char* const number = colon == std::string::npos ? last : text.data() + colon + 1;
  const auto [behind, status] = std::from_chars(number, last, input.rate_hz);
  if ((kind != "poisson" && kind != "regular") || status != std::errc() || behind != last ||
      !std::isfinite(input.rate_hz) || input.rate_hz < 0.0) {
    throw UsageError(
        fmt::format("--input: expected poisson:HZ, regular:HZ or a file of spikes ending in .csv, got \"{}\"", text));
  }
  return input;
}

Tensor<float> generate_input(const GeneratedInput& input, const Shape& tick, std::optional<std::ptrdiff_t> num_ticks,
                             double dt_ms, std::uint64_t seed) {
  if (input.kind == GeneratedInput::Kind::file) return input_from_file(input.file, tick, num_ticks);
  const double per_tick = input.rate_hz * dt_ms * 1e-3;
  const double most = input.kind == GeneratedInput::Kind::poisson ? kMostPoisson : kMostCount - 1.0;
  if (per_tick > most) {
    throw UsageError(fmt::format("--input: at most {} spikes a tick, which are {:g} Hz with ticks of {} ms, got {} Hz",
                                 most, most / (dt_ms * 1e-3), dt_ms, input.rate_hz));
  }
  Tensor<float> out = empty_input(num_ticks.value_or(kGeneratedTicks), tick);
  if (input.kind == GeneratedInput::Kind::poisson) {
    fire_at_random(per_tick, seed, tick.size(), out);
  } else {
    fire_regularly(per_tick, seed, tick.size(), out);
  }
  return out;
}

}  // namespace synfire::apps
