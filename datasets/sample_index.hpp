#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/compact_events.hpp"
#include "datasets/slicing.hpp"

/// What the samples of a split are: which recordings there are, and which part of each has which label.
namespace synfire::datasets {

/// Part of a recording with one label: all of it, or the events with begin <= t < end in the recording's own time.
struct Segment {
  std::int32_t label = 0;
  std::optional<TimeSpan> span;
};

/// A file of a data set.
struct RecordingEntry {
  std::filesystem::path path;
  std::string group;  ///< what must not be on both sides of a split: a subject, or the recording itself
  std::vector<Segment> segments;
};

/// One sample: the events of a recording with t_begin <= t < t_end.
struct Sample {
  std::size_t recording = 0;  ///< index into the split's recordings
  std::int32_t label = 0;
  std::int64_t t_begin_us = 0;
  std::int64_t t_end_us = 0;
  /// The part of the recording that belongs to this sample's label and split; a window that is moved in time stays in
  /// it.
  std::int64_t t_earliest_us = 0;
  std::int64_t t_latest_us = 0;

  bool operator==(const Sample&) const = default;
};

struct CutRule {
  double window_ms = 0.0;       ///< 0: a segment is a sample; otherwise consecutive windows, a last partial one dropped
  std::int64_t min_events = 0;  ///< windows with fewer are left out
};

/// Samples in the order of recordings, segments and time. `recordings` are the events of `entries`. A whole recording
/// reaches from its first event to just after the last one.
std::vector<Sample> cut_samples(std::span<const RecordingEntry> entries, std::span<const CompactEvents> recordings,
                                const CutRule& rule);

struct HeldOut {
  std::vector<Sample> kept;
  std::vector<Sample> held;
};

/// Holds out whole groups: of each class the nearest whole number to `fraction` of its groups, at least one and never
/// all, chosen by `seed`; none of a class with a single group. If groups have samples of several classes (subjects),
/// the same of all groups together.
HeldOut hold_out_groups(std::span<const RecordingEntry> entries, const std::vector<Sample>& samples, double fraction,
                        std::uint64_t seed);

/// Holds out the end of every segment in time: the last `fraction` of its windows, rounded to the nearest number.
/// Windows that stay may move up to the first one held out and no further.
HeldOut hold_out_ends(const std::vector<Sample>& samples, double fraction);

}  // namespace synfire::datasets
