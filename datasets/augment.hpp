#pragma once

#include <cstdint>

#include "core/config.hpp"
#include "datasets/augment_key.hpp"
#include "datasets/compact_events.hpp"

namespace synfire::datasets {

/// Random changes of a training sample, made on its events before they become frames, so that every time step of a
/// sample is changed alike. Everything is off by default.
struct AugmentConfig {
  double flip_lr = 0.0;        ///< probability of x -> width - 1 - x
  double flip_ud = 0.0;        ///< probability of y -> height - 1 - y
  double flip_polarity = 0.0;  ///< probability that all events of the sample change their polarity
  int shift_px = 0;            ///< whole pixels, uniform in [-shift, shift] for x and y; what leaves the sensor is lost
  double rotate_deg = 0.0;     ///< about the centre, uniform in [-rotate, rotate]
  double scale = 0.0;          ///< size times a factor uniform in [1 - scale, 1 + scale]
  double shear = 0.0;          ///< x += s (y - centre), s uniform in [-shear, shear]
  /// EventDrop [Gu2021]: one of identity and those below that are not 0, all equally likely, with a ratio uniform in
  /// [0, maximum]; the paper's maxima are 0.9, 0.9 and 0.25.
  double drop_events_max = 0.0;  ///< share of the events, each equally likely
  double drop_time_max = 0.0;    ///< share of the sample's duration: a window without events
  double drop_area_max = 0.0;    ///< share of width and of height: a box without events
  /// The sample's window moves by up to this within its recording, never into another split or label.
  double shift_time_ms = 0.0;
};

/// Reads `[augment]`, with the keys as above. \throws ConfigError
AugmentConfig read_augment_config(const ConfigTable& table);

/// Shift of a window in time, uniform in what [-shift_time_ms, shift_time_ms] and [least_us, most_us] have in common;
/// least_us <= 0 <= most_us.
std::int64_t draw_time_shift_us(const AugmentConfig& config, const AugmentKey& key, std::int64_t least_us,
                                std::int64_t most_us);

/// Changes the events in place: drops, flips, then rotation, scale, shear and shift in one affine map. For that map an
/// event is put at a random point of its pixel first, so that an enlarged picture has no holes.
///
/// \param duration_us  of the sample, whose time starts at 0
void augment(CompactEvents& events, int width, int height, std::int64_t duration_us, const AugmentConfig& config,
             const AugmentKey& key);

}  // namespace synfire::datasets
