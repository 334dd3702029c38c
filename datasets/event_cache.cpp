#include "datasets/event_cache.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "core/parallel.hpp"

namespace synfire::datasets {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// To be raised when a reader's result changes for any file, or the layout below does.
constexpr int kVersion = 1;

/// Events that are written or read at a time.
constexpr std::size_t kBlock = std::size_t{1} << 20;

json options_of(const ReadOptions& options) {
  return {{"version", kVersion}, {"width", options.width}, {"height", options.height}, {"lenient", options.lenient}};
}

std::uint64_t size_of(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) throw FileError(file.string(), "cannot be read: " + error.message());
  return size;
}

std::int64_t change_time_of(const fs::path& file) {
  std::error_code error;
  const fs::file_time_type time = fs::last_write_time(file, error);
  if (error) throw FileError(file.string(), "cannot be read: " + error.message());
  return static_cast<std::int64_t>(time.time_since_epoch().count());
}

/// What identifies a file without reading it. Taken before it is decoded: a change in between makes the cache stale.
json stamp_of(const fs::path& file) {
  return {{"path", file.string()}, {"bytes", size_of(file)}, {"changed", change_time_of(file)}};
}

/// A column of all recordings, one after the other, in blocks.
template <class T>
class ColumnWriter {
 public:
  ColumnWriter(Hdf5File& file, std::string path) : file_(file), path_(std::move(path)) { block_.reserve(kBlock); }
  void push(T value) {
    block_.push_back(value);
    if (block_.size() == kBlock) flush();
  }
  void flush() {
    file_.append<T>(path_, block_);
    block_.clear();
  }

 private:
  Hdf5File& file_;
  std::string path_;
  std::vector<T> block_;
};

template <class T>
class ColumnReader {
 public:
  ColumnReader(const Hdf5File& file, std::string path, std::size_t size)
      : file_(file), path_(std::move(path)), size_(size) {
    if (!(file.shape(path_) == Shape{static_cast<std::ptrdiff_t>(size)}))
      throw FormatError(path_, "is not as long as the manifest says");
  }
  T next() {
    if (at_ == block_.size()) {
      block_.resize(std::min(kBlock, size_ - done_));
      file_.read_range<T>(path_, static_cast<std::int64_t>(done_), block_);
      done_ += block_.size();
      at_ = 0;
    }
    return block_[at_++];
  }

 private:
  const Hdf5File& file_;
  std::string path_;
  std::size_t size_;
  std::size_t done_ = 0;
  std::size_t at_ = 0;
  std::vector<T> block_;
};

/// Events with their times as differences: small numbers compress well.
void write_cache(const fs::path& path, const RecordingSet& set, const json& manifest) {
  Hdf5File file = Hdf5File::create(path);
  std::vector<std::int64_t> origins_us;
  std::vector<std::uint64_t> sizes;
  ColumnWriter<std::uint32_t> dt_us(file, "events/dt_us");
  ColumnWriter<std::uint16_t> x(file, "events/x"), y(file, "events/y");
  ColumnWriter<std::uint8_t> on(file, "events/on");
  for (const CompactEvents& events : set.recordings) {
    origins_us.push_back(events.origin_us);
    sizes.push_back(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      dt_us.push(i == 0 ? events.t_us[0] : events.t_us[i] - events.t_us[i - 1]);
      x.push(events.x[i]);
      y.push(events.y[i]);
      on.push(events.on[i]);
    }
  }
  dt_us.flush();
  x.flush();
  y.flush();
  on.flush();
  const Shape shape{static_cast<std::ptrdiff_t>(sizes.size())};
  file.write<std::int64_t>("recordings/origin_us", origins_us, shape);
  file.write<std::uint64_t>("recordings/num_events", sizes, shape);
  file.write_text("manifest", manifest.dump());
  file.commit();
}

RecordingSet read_events(const Hdf5File& file, const json& manifest, std::size_t num_recordings) {
  RecordingSet set;
  set.width = manifest.at("width").get<int>();
  set.height = manifest.at("height").get<int>();
  set.warnings = manifest.at("warnings").get<std::vector<std::string>>();
  const auto origins_us = file.read<std::int64_t>("recordings/origin_us");
  const auto sizes = file.read<std::uint64_t>("recordings/num_events");
  if (origins_us.size() != num_recordings || sizes.size() != num_recordings)
    throw FormatError("recordings", "are not as many as the manifest says");

  // Not from the shape of a column: what a damaged file claims must not decide how much memory is asked for.
  const auto total = manifest.at("events").get<std::size_t>();
  ColumnReader<std::uint32_t> dt_us(file, "events/dt_us", total);
  ColumnReader<std::uint16_t> x(file, "events/x", total), y(file, "events/y", total);
  ColumnReader<std::uint8_t> on(file, "events/on", total);
  std::size_t left = total;
  for (std::size_t r = 0; r < num_recordings; ++r) {
    if (sizes[r] > left) throw FormatError("recordings", "have more events than the file");
    left -= sizes[r];
    CompactEvents& events = set.recordings.emplace_back();
    events.origin_us = origins_us[r];
    events.resize(sizes[r]);
    std::uint32_t t_us = 0;
    bool fits = true;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const std::uint32_t before_us = t_us;
      events.t_us[i] = t_us += dt_us.next();
      events.x[i] = x.next();
      events.y[i] = y.next();
      events.on[i] = on.next();
      fits &= t_us >= before_us && events.x[i] < set.width && events.y[i] < set.height && events.on[i] <= 1;
    }
    if (!fits) throw FormatError("events", "are damaged");
  }
  return set;
}

/// Whether `source` of a manifest is still the file at `path`.
bool is_unchanged(const json& source, const fs::path& path) {
  if (source.at("path") != path.string() || source.at("bytes") != size_of(path)) return false;
  return source.at("changed") == change_time_of(path) || source.at("sha256") == sha256_file(path);
}

std::optional<RecordingSet> read_cache(const fs::path& path, std::span<const RecordingEntry> entries,
                                       const ReadOptions& options) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    const Hdf5File file = Hdf5File::open(path);
    const json manifest = json::parse(file.read_text("manifest"));
    if (manifest.at("options") != options_of(options)) return std::nullopt;
    const json& sources = manifest.at("sources");
    if (sources.size() != entries.size()) return std::nullopt;
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (!is_unchanged(sources.at(i), entries[i].path)) return std::nullopt;
    return read_events(file, manifest, entries.size());
  } catch (const json::exception&) {
    return std::nullopt;
  } catch (const FormatError&) {
    return std::nullopt;
  } catch (const FileError&) {
    // A damaged cache, or a source that is gone: decoding says which.
    return std::nullopt;
  }
}

}  // namespace

fs::path cache_file(const fs::path& folder, const std::string& split, std::span<const RecordingEntry> entries,
                    const ReadOptions& options) {
  Sha256 digest;
  digest.update(options_of(options).dump());
  for (const RecordingEntry& entry : entries) digest.update(entry.path.string() + "\n");
  return folder / fmt::format("{}-{}.h5", split, digest.hex().substr(0, 16));
}

RecordingSet load_cached(const fs::path& folder, const std::string& split, std::span<const RecordingEntry> entries,
                         const ReadOptions& options) {
  const fs::path path = cache_file(folder, split, entries, options);
  if (std::optional<RecordingSet> cached = read_cache(path, entries, options)) return std::move(*cached);

  std::vector<json> sources(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) sources[i] = stamp_of(entries[i].path);
  RecordingSet set = load_recordings(entries, options);
  parallel_for(static_cast<std::ptrdiff_t>(entries.size()), 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t at = begin; at < end; ++at) {
      const auto i = static_cast<std::size_t>(at);
      sources[i]["sha256"] = sha256_file(entries[i].path);
    }
  });
  std::size_t num_events = 0;
  for (const CompactEvents& events : set.recordings) num_events += events.size();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw FileError(folder.string(), "cannot make this folder: " + error.message());
  write_cache(path, set,
              {{"options", options_of(options)},
               {"events", num_events},
               {"width", set.width},
               {"height", set.height},
               {"warnings", set.warnings},
               {"sources", sources}});
  return set;
}

}  // namespace synfire::datasets
