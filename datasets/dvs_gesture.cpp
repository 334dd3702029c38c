#include "datasets/dvs_gesture.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <span>

#include <fmt/format.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"

namespace synfire::datasets {

namespace {

struct Line {
  std::string_view text;  // without blanks around it
  std::uint64_t offset;
  int number;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

/// The lines that are not blank.
std::vector<Line> split_lines(std::string_view content) {
  std::vector<Line> lines;
  int number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    ++number;
    if (const std::string_view text = trimmed(content.substr(begin, end - begin)); !text.empty())
      lines.push_back({text, begin, number});
    begin = end + 1;
  }
  return lines;
}

template <class Integer>
bool parse(std::string_view text, Integer& value) {
  text = trimmed(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// User and light of a name `userNN_LIGHT.aedat`.
bool parse_recording_name(std::string_view name, GestureSample& sample) {
  constexpr std::string_view kUser = "user", kEnd = ".aedat";
  const std::size_t underscore = name.find('_');
  if (!name.starts_with(kUser) || !name.ends_with(kEnd) || underscore == std::string_view::npos) return false;
  if (name.find_first_of("/\\") != std::string_view::npos || underscore + 1 + kEnd.size() >= name.size()) return false;
  sample.light = name.substr(underscore + 1, name.size() - underscore - 1 - kEnd.size());
  return parse(name.substr(kUser.size(), underscore - kUser.size()), sample.user) && sample.user > 0;
}

bool parse_label(std::string_view line, GestureSample& sample) {
  const std::size_t first = line.find(','), second = line.find(',', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return false;
  return parse(line.substr(0, first), sample.gesture) &&
         parse(line.substr(first + 1, second - first - 1), sample.start_us) &&
         parse(line.substr(second + 1), sample.end_us);
}

void append_samples(GestureSample sample, std::vector<GestureSample>& samples) {
  std::filesystem::path file = sample.recording;
  file.replace_filename(sample.recording.stem().string() + "_labels.csv");
  const std::string content = read_whole_file(file);
  const std::vector<Line> lines = split_lines(content);
  constexpr std::string_view kHeader = "class,startTime_usec,endTime_usec";
  if (lines.empty() || lines.front().text != kHeader)
    throw FormatError(file.string(), 0, fmt::format("expected the header {}", kHeader));
  for (const Line& line : std::span(lines).subspan(1)) {
    const bool understood = parse_label(line.text, sample);
    const auto num_gestures = static_cast<int>(gesture_names().size());
    if (!understood || sample.gesture < 1 || sample.gesture > num_gestures || sample.end_us <= sample.start_us)
      throw FormatError(file.string(), line.offset,
                        fmt::format("expected a class of 1 to {}, a start and a later end in us, found \"{}\"",
                                    num_gestures, line.text));
    sample.label_line = line.number;
    samples.push_back(sample);
  }
}

}  // namespace

const std::array<std::string_view, 11>& gesture_names() {
  static constexpr std::array<std::string_view, 11> kNames{"hand_clapping",
                                                           "right_hand_wave",
                                                           "left_hand_wave",
                                                           "right_arm_clockwise",
                                                           "right_arm_counter_clockwise",
                                                           "left_arm_clockwise",
                                                           "left_arm_counter_clockwise",
                                                           "arm_roll",
                                                           "air_drums",
                                                           "air_guitar",
                                                           "other_gestures"};
  return kNames;
}

std::vector<GestureSample> list_gestures(const std::filesystem::path& folder, GestureSplit split) {
  const std::filesystem::path list =
      folder / (split == GestureSplit::train ? "trials_to_train.txt" : "trials_to_test.txt");
  const std::string content = read_whole_file(list);
  std::vector<GestureSample> samples;
  std::set<std::string_view> seen;
  for (const Line& line : split_lines(content)) {
    GestureSample sample;
    if (!parse_recording_name(line.text, sample))
      throw FormatError(list.string(), line.offset,
                        fmt::format("expected a name like user01_natural.aedat, found \"{}\"", line.text));
    if (!seen.insert(line.text).second)
      throw FormatError(list.string(), line.offset, fmt::format("{} is listed twice", line.text));
    sample.recording = folder / line.text;
    if (!std::filesystem::exists(sample.recording))
      throw FileError(sample.recording.string(),
                      fmt::format("no such file, but {} lists it", list.filename().string()));
    append_samples(sample, samples);
  }
  if (samples.empty()) throw FormatError(list.string(), 0, "there is no sample in the recordings of the list");
  return samples;
}

EventStream GestureReader::read(const GestureSample& sample) {
  if (file_ != sample.recording) {
    file_.clear();
    recording_ = read_recording(sample.recording, options_);
    file_ = sample.recording;
  }
  const EventStream& all = recording_.events;
  EventStream events;
  events.width = all.width;
  events.height = all.height;
  std::size_t begin = 0, end = all.size();
  if (recording_.backward_steps == 0) {
    begin = static_cast<std::size_t>(std::ranges::lower_bound(all.t_us, sample.start_us) - all.t_us.begin());
    end = static_cast<std::size_t>(std::ranges::lower_bound(all.t_us, sample.end_us) - all.t_us.begin());
    events.reserve(std::max(begin, end) - begin);
  }
  for (std::size_t i = begin; i < end; ++i)
    if (all.t_us[i] >= sample.start_us && all.t_us[i] < sample.end_us) events.push_back(all[i]);
  if (events.empty() && !options_.lenient)
    throw FormatError(sample.recording.string(), 0,
                      fmt::format("line {} of its labels ({} to {} us) selects no events", sample.label_line,
                                  sample.start_us, sample.end_us));
  return events;
}

}  // namespace synfire::datasets
