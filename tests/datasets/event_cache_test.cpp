#include "datasets/event_cache.hpp"

#include <chrono>
#include <fstream>

#include <doctest/doctest.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "tests/datasets/made_recordings.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synfire::datasets {
namespace {

namespace fs = std::filesystem;

ReadOptions lenient() {
  ReadOptions options;
  options.lenient = true;
  return options;
}

/// Three recordings on disk, and a cache folder.
struct Fixture {
  test::TemporaryFolder folder;
  std::vector<RecordingEntry> entries;
  fs::path cache = folder / "cache";

  Fixture() {
    for (std::uint64_t i = 0; i < 3; ++i) {
      const fs::path file = folder / ("digit" + std::to_string(i) + ".bin");
      test::make_recording(file, i, 100 + static_cast<int>(i));
      entries.push_back({file, file.string(), {{0, {}}}});
    }
  }
  RecordingSet load(const ReadOptions& options = {}) const { return load_cached(cache, "training", entries, options); }
  fs::path file() const { return cache_file(cache, "training", entries, {}); }
  fs::file_time_type written() const { return fs::last_write_time(file()); }

  /// Whether a load from now on writes the cache again.
  bool is_rebuilt() const {
    const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(24);
    if (fs::exists(file())) fs::last_write_time(file(), long_ago);
    check_loads();
    return fs::last_write_time(file()) != long_ago;
  }
  void check_loads() const {
    const RecordingSet expected = load_recordings(entries, {}), loaded = load();
    CHECK(loaded.width == expected.width);
    CHECK(loaded.height == expected.height);
    REQUIRE(loaded.recordings.size() == expected.recordings.size());
    for (std::size_t i = 0; i < expected.recordings.size(); ++i) {
      CHECK(loaded.recordings[i].origin_us == expected.recordings[i].origin_us);
      CHECK(loaded.recordings[i].t_us == expected.recordings[i].t_us);
      CHECK(loaded.recordings[i].x == expected.recordings[i].x);
      CHECK(loaded.recordings[i].y == expected.recordings[i].y);
      CHECK(loaded.recordings[i].on == expected.recordings[i].on);
    }
  }
};

TEST_CASE("a cache gives the events of the files and is used the second time") {
  const Fixture data;

  CHECK(data.is_rebuilt());
  CHECK_FALSE(data.is_rebuilt());
}

TEST_CASE("a source that changed makes the cache stale") {
  const Fixture data;
  data.load();

  SUBCASE("in size") { test::make_recording(data.entries[1].path, 7, 50); }
  SUBCASE("in content alone") { test::make_recording(data.entries[1].path, 7, 101); }

  CHECK(data.is_rebuilt());
  CHECK_FALSE(data.is_rebuilt());
}

TEST_CASE("a source that was only touched or copied does not") {
  const Fixture data;
  data.load();
  fs::last_write_time(data.entries[1].path, fs::file_time_type::clock::now() - std::chrono::hours(100));

  CHECK_FALSE(data.is_rebuilt());
}

TEST_CASE("a source that is gone is an error, not a cached success") {
  const Fixture data;
  data.load();
  fs::remove(data.entries[2].path);

  CHECK_THROWS_AS(data.load(), FileError);
}

TEST_CASE("other options and other lists of files have caches of their own") {
  Fixture data;
  data.load();

  CHECK(cache_file(data.cache, "training", data.entries, lenient()) != data.file());
  data.entries.pop_back();
  CHECK_FALSE(fs::exists(data.file()));
}

TEST_CASE("a cache whose manifest says something else, or that has none, is not used") {
  const Fixture data;
  data.load();

  SUBCASE("of other options") {
    // As if the file of one set of options had been given the name of another.
    data.load(lenient());
    fs::copy_file(cache_file(data.cache, "training", data.entries, lenient()), data.file(),
                  fs::copy_options::overwrite_existing);
  }
  SUBCASE("no manifest") {
    Hdf5File file = Hdf5File::create(data.file());
    file.write<std::uint8_t>("events/on", std::vector<std::uint8_t>{1}, {1});
    file.commit();
  }
  SUBCASE("not even HDF5") { write_file_atomically(data.file(), "half a cache"); }
  SUBCASE("empty") { write_file_atomically(data.file(), ""); }

  CHECK(data.is_rebuilt());
}

TEST_CASE("a cache with events outside the sensor is not used") {
  const Fixture data;
  data.load();
  const Hdf5File whole = Hdf5File::open(data.file());
  auto x = whole.read<std::uint16_t>("events/x");
  const Shape events{static_cast<std::ptrdiff_t>(x.size())};
  x[17] = 34;
  Hdf5File file = Hdf5File::create(data.file());
  file.write<std::uint16_t>("events/x", x, events);
  file.write<std::uint16_t>("events/y", whole.read<std::uint16_t>("events/y"), events);
  file.write<std::uint8_t>("events/on", whole.read<std::uint8_t>("events/on"), events);
  file.write<std::uint32_t>("events/t_us", whole.read<std::uint32_t>("events/t_us"), events);
  file.write<std::int64_t>("recordings/origin_us", whole.read<std::int64_t>("recordings/origin_us"), {3});
  file.write<std::uint64_t>("recordings/num_events", whole.read<std::uint64_t>("recordings/num_events"), {3});
  file.write_text("manifest", whole.read_text("manifest"));
  file.write_text("manifest_sha256", whole.read_text("manifest_sha256"));
  file.commit();

  CHECK(data.is_rebuilt());
}

TEST_CASE("a writer that was killed leaves nothing that is taken for a cache") {
  const Fixture data;
  data.load();
  const std::string whole = read_whole_file(data.file());
  fs::remove(data.file());
  fs::path partial = data.file();
  partial += ".partial";
  std::ofstream(partial, std::ios::binary) << whole.substr(0, whole.size() / 2);

  CHECK(data.is_rebuilt());
  CHECK_FALSE(fs::exists(partial));
}

TEST_CASE("a truncated cache is decoded anew, wherever it ends") {
  const Fixture data;
  data.load();
  const std::string whole = read_whole_file(data.file());

  for (std::size_t part = 0; part < 16; ++part) {
    CAPTURE(part);
    write_file_atomically(data.file(), whole.substr(0, whole.size() * part / 16));
    CHECK(data.is_rebuilt());
  }
}

TEST_CASE("a cache with a flipped byte gives the events of the files nevertheless") {
  const Fixture data;
  data.load();
  const std::string whole = read_whole_file(data.file());

  for (std::size_t i = 0; i < whole.size(); i += 211) {
    CAPTURE(i);
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    std::ofstream(data.file(), std::ios::binary) << damaged;
    data.check_loads();
  }
}

}  // namespace
}  // namespace synfire::datasets
