#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/tensor.hpp"

/// Input of a simulation that no data set gives.
namespace synfire::apps {

struct GeneratedInput {
  enum class Kind : std::uint8_t {
    poisson,  ///< each element fires at random, on average `rate_hz` times a second
    regular,  ///< each element fires every 1/rate_hz seconds, from a phase of its own that is drawn at random
    file      ///< spikes from a text file, a line each: tick,neuron
  };
  Kind kind = Kind::poisson;
  double rate_hz = 0.0;
  std::filesystem::path file;
};

/// "poisson:20", "regular:20" or the name of a file that ends in .csv. \throws UsageError for anything else
GeneratedInput parse_generated_input(const std::string& text);

/// One sample [T, 1, ...] of whole counts. Random numbers are of (seed, tick, element) alone.
///
/// \param tick       shape of one tick
/// \param num_ticks  without: of a file as many as its last spike needs, otherwise kGeneratedTicks
/// \throws UsageError for rates of more spikes a tick than a count can hold, or more ticks than memory is meant for;
///         FileError, FormatError (with the line) for a file of something else than such spikes
Tensor<float> generate_input(const GeneratedInput& input, const Shape& tick, std::optional<std::ptrdiff_t> num_ticks,
                             double dt_ms, std::uint64_t seed);

inline constexpr std::ptrdiff_t kGeneratedTicks = 100;
/// As many as frames and spike trains may have.
inline constexpr std::ptrdiff_t kMostTicks = 65536;

/// \throws UsageError unless an input of this shape is one that memory is meant for
void check_input_size(std::ptrdiff_t num_ticks, const Shape& tick);

}  // namespace synfire::apps
