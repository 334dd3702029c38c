#include "datasets/sample_index.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/random.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kHoldOutStream = 0xDA7A0003U;

bool has_enough(const CompactEvents& events, const Sample& sample, std::int64_t min_events) {
  return static_cast<std::int64_t>(events.between(sample.t_begin_us, sample.t_end_us).size()) >= min_events;
}

}  // namespace

std::vector<Sample> cut_samples(std::span<const RecordingEntry> entries, std::span<const CompactEvents> recordings,
                                const CutRule& rule) {
  const auto window_us = static_cast<std::int64_t>(std::llround(rule.window_ms * 1000.0));
  std::vector<Sample> samples;
  for (std::size_t recording = 0; recording < entries.size(); ++recording) {
    const CompactEvents& events = recordings[recording];
    for (const Segment& segment : entries[recording].segments) {
      const TimeSpan span = segment.span.value_or(
          TimeSpan{events.origin_us, events.origin_us + (events.empty() ? 0 : std::int64_t{events.duration_us()} + 1)});
      const auto add = [&](std::int64_t from, std::int64_t to) {
        const Sample sample{recording, segment.label, from, to, span.begin_us, span.end_us};
        if (has_enough(events, sample, rule.min_events)) samples.push_back(sample);
      };
      if (window_us == 0) add(span.begin_us, span.end_us);
      if (window_us > 0)
        for (std::int64_t from = span.begin_us; from + window_us <= span.end_us; from += window_us)
          add(from, from + window_us);
    }
  }
  return samples;
}

HeldOut hold_out_groups(std::span<const RecordingEntry> entries, const std::vector<Sample>& samples, double fraction,
                        std::uint64_t seed) {
  // Sorted, so that the choice depends on names and not on the order of files.
  std::map<std::int32_t, std::set<std::string>> groups_of_label;
  std::map<std::string, std::set<std::int32_t>> labels_of_group;
  for (const Sample& sample : samples) {
    groups_of_label[sample.label].insert(entries[sample.recording].group);
    labels_of_group[entries[sample.recording].group].insert(sample.label);
  }
  const bool mixed = std::any_of(labels_of_group.begin(), labels_of_group.end(),
                                 [](const auto& labels) { return labels.second.size() > 1; });
  if (mixed) {
    groups_of_label.clear();
    for (const auto& [group, labels] : labels_of_group) groups_of_label[0].insert(group);
  }

  std::set<std::string> chosen;
  for (const auto& [label, groups] : groups_of_label) {
    if (groups.size() < 2) continue;
    std::vector<std::string> order(groups.begin(), groups.end());
    const RandomStream random(seed, kHoldOutStream, static_cast<std::uint32_t>(label));
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i, i)]);
    const auto wanted = static_cast<std::size_t>(std::llround(fraction * static_cast<double>(order.size())));
    const std::size_t count = std::clamp<std::size_t>(wanted, 1, order.size() - 1);
    chosen.insert(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  }

  HeldOut result;
  for (const Sample& sample : samples)
    (chosen.contains(entries[sample.recording].group) ? result.held : result.kept).push_back(sample);
  return result;
}

HeldOut hold_out_ends(const std::vector<Sample>& samples, double fraction) {
  HeldOut result;
  const auto same_segment = [](const Sample& a, const Sample& b) {
    return a.recording == b.recording && a.label == b.label && a.t_earliest_us == b.t_earliest_us &&
           a.t_latest_us == b.t_latest_us;
  };
  for (std::size_t begin = 0, end = 0; begin < samples.size(); begin = end) {
    while (end < samples.size() && same_segment(samples[begin], samples[end])) ++end;
    const auto num_held = static_cast<std::size_t>(std::llround(fraction * static_cast<double>(end - begin)));
    const std::size_t first_held = end - std::min(num_held, end - begin);
    const std::int64_t border_us = first_held < end ? samples[first_held].t_begin_us : samples[begin].t_latest_us;
    for (std::size_t i = begin; i < end; ++i) {
      Sample sample = samples[i];
      (i < first_held ? sample.t_latest_us : sample.t_earliest_us) = border_us;
      (i < first_held ? result.kept : result.held).push_back(sample);
    }
  }
  return result;
}

}  // namespace synfire::datasets
