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

/// Events that are written or read at a time, about.
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
  ColumnWriter(Hdf5File& file, std::string path) : file_(file), path_(std::move(path)) {}
  void write(const std::vector<T>& values) {
    block_.insert(block_.end(), values.begin(), values.end());
    if (block_.size() >= kBlock) flush();
  }
  /// Not compressed: most formats are decoded faster than they could be unpacked.
  void flush() {
    file_.append<T>(path_, block_, false);
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
      : file_(file), path_(std::move(path)), left_(size) {
    if (!(file.shape(path_) == Shape{static_cast<std::ptrdiff_t>(size)}))
      throw FormatError(path_, "is not as long as the manifest says");
  }
  void read(std::vector<T>& values) {
    for (std::size_t done = 0; done < values.size();) {
      if (at_ == block_.size()) fill();
      const std::size_t count = std::min(values.size() - done, block_.size() - at_);
      std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(at_), count,
                  values.begin() + static_cast<std::ptrdiff_t>(done));
      at_ += count;
      done += count;
    }
  }

 private:
  void fill() {
    if (left_ == 0) throw FormatError(path_, "ends too early");
    block_.resize(std::min(kBlock, left_));
    file_.read_range<T>(path_, next_, block_);
    next_ += static_cast<std::int64_t>(block_.size());
    left_ -= block_.size();
    at_ = 0;
  }

  const Hdf5File& file_;
  std::string path_;
  std::size_t left_;  ///< values that are still in the file
  std::int64_t next_ = 0;
  std::size_t at_ = 0;
  std::vector<T> block_;
};

void write_cache(const fs::path& path, const RecordingSet& set, const json& manifest) {
  Hdf5File file = Hdf5File::create(path);
  std::vector<std::int64_t> origins_us;
  std::vector<std::uint64_t> sizes;
  ColumnWriter<std::uint32_t> t_us(file, "events/t_us");
  ColumnWriter<std::uint16_t> x(file, "events/x"), y(file, "events/y");
  ColumnWriter<std::uint8_t> on(file, "events/on");
  for (const CompactEvents& events : set.recordings) {
    origins_us.push_back(events.origin_us);
    sizes.push_back(events.size());
    t_us.write(events.t_us);
    x.write(events.x);
    y.write(events.y);
    on.write(events.on);
  }
  t_us.flush();
  x.flush();
  y.flush();
  on.flush();
  file.append<std::int64_t>("recordings/origin_us", origins_us);
  file.append<std::uint64_t>("recordings/num_events", sizes);
  const std::string text = manifest.dump();
  file.write_text("manifest_sha256", sha256(text));
  file.write_text("manifest", text);
  file.commit();
}

bool is_valid(const CompactEvents& events, int width, int height) {
  const auto below = [](const auto& values, int limit) {
    return std::all_of(values.begin(), values.end(), [&](auto value) { return value < limit; });
  };
  return std::is_sorted(events.t_us.begin(), events.t_us.end()) && below(events.x, width) && below(events.y, height) &&
         below(events.on, 2);
}

RecordingSet read_events(const Hdf5File& file, const json& manifest, std::span<const RecordingEntry> entries) {
  const std::size_t num_recordings = entries.size();
  RecordingSet set;
  for (const RecordingEntry& entry : entries) set.files.push_back(entry.path.string());
  set.width = manifest.at("width").get<int>();
  set.height = manifest.at("height").get<int>();
  set.warnings = manifest.at("warnings").get<std::vector<std::string>>();
  const auto origins_us = file.read<std::int64_t>("recordings/origin_us");
  const auto sizes = file.read<std::uint64_t>("recordings/num_events");
  if (origins_us.size() != num_recordings || sizes.size() != num_recordings)
    throw FormatError("recordings", "are not as many as the manifest says");

  // Not from the shape of a column: what a damaged file claims must not decide how much memory is asked for.
  std::size_t left = manifest.at("events").get<std::size_t>();
  ColumnReader<std::uint32_t> t_us(file, "events/t_us", left);
  ColumnReader<std::uint16_t> x(file, "events/x", left), y(file, "events/y", left);
  ColumnReader<std::uint8_t> on(file, "events/on", left);
  for (std::size_t r = 0; r < num_recordings; ++r) {
    if (sizes[r] > left) throw FormatError("recordings", "have more events than the file");
    left -= sizes[r];
    CompactEvents& events = set.recordings.emplace_back();
    events.origin_us = origins_us[r];
    events.resize(sizes[r]);
    t_us.read(events.t_us);
    x.read(events.x);
    y.read(events.y);
    on.read(events.on);
    if (!is_valid(events, set.width, set.height)) throw FormatError("events", "are damaged");
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
    const std::string text = file.read_text("manifest");
    if (file.read_text("manifest_sha256") != sha256(text)) return std::nullopt;
    const json manifest = json::parse(text);
    if (manifest.at("options") != options_of(options)) return std::nullopt;
    const json& sources = manifest.at("sources");
    if (sources.size() != entries.size()) return std::nullopt;
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (!is_unchanged(sources.at(i), entries[i].path)) return std::nullopt;
    return read_events(file, manifest, entries);
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
