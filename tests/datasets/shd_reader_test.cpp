#include "datasets/shd_reader.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <hdf5.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "datasets/shd_writer.hpp"
#include "tests/datasets/made_spike_trains.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synfire::datasets {
namespace {

namespace fs = std::filesystem;

void check_equal(const SpikeTrainSet& a, const SpikeTrainSet& b) {
  CHECK(a.num_channels == b.num_channels);
  CHECK(a.class_names == b.class_names);
  CHECK(a.label == b.label);
  CHECK(a.speaker == b.speaker);
  REQUIRE(a.samples.size() == b.samples.size());
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    CHECK(a.samples[i].t_s == b.samples[i].t_s);
    CHECK(a.samples[i].channel == b.samples[i].channel);
  }
}

/// A file of the layout, written by the HDF5 library alone, as other programs do.
struct Layout {
  hid_t time_type = H5T_IEEE_F32LE, unit_type = H5T_STD_U16LE;
  bool chunked = false, compressed = false, variable_names = false, names = true, speakers = true;
  std::vector<std::vector<double>> times{{0.125, 0.25, 0.5}, {}, {1.5}};
  std::vector<std::vector<std::uint64_t>> units{{0, 699, 3}, {}, {41}};
  std::vector<std::int64_t> labels{1, 0, 1}, speaker{2, 0, 1};
};

template <class T>
void write_rows(hid_t file, const char* path, hid_t stored, hid_t native, const Layout& layout,
                std::vector<std::vector<T>> rows) {
  const hsize_t count = rows.size(), chunk = 2;
  const hid_t space = H5Screate_simple(1, &count, nullptr), creation = H5Pcreate(H5P_DATASET_CREATE);
  if (layout.chunked) H5Pset_chunk(creation, 1, &chunk);
  if (layout.compressed) {
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, 4);
  }
  const hid_t type = H5Tvlen_create(stored), memory = H5Tvlen_create(native);
  const hid_t set = H5Dcreate2(file, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  std::vector<hvl_t> pointers;
  for (std::vector<T>& row : rows) pointers.push_back({row.size(), row.data()});
  REQUIRE(H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()) >= 0);
  H5Dclose(set);
  H5Tclose(type);
  H5Tclose(memory);
  H5Sclose(space);
  H5Pclose(creation);
}

void write_integers(hid_t file, const char* path, const std::vector<std::int64_t>& values, hid_t stored) {
  const hsize_t count = values.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t set = H5Dcreate2(file, path, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Dclose(set);
  H5Sclose(space);
}

void write_layout(const fs::path& name, const Layout& layout) {
  const hid_t file = H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (const char* group : {"spikes", "extra"})
    H5Gclose(H5Gcreate2(file, group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  write_rows(file, "spikes/times", layout.time_type, H5T_NATIVE_DOUBLE, layout, layout.times);
  write_rows(file, "spikes/units", layout.unit_type, H5T_NATIVE_UINT64, layout, layout.units);
  write_integers(file, "labels", layout.labels, H5T_STD_I8LE);
  if (layout.speakers) write_integers(file, "extra/speaker", layout.speaker, H5T_STD_U16LE);
  if (layout.names) {
    const hsize_t count = 2;
    const hid_t space = H5Screate_simple(1, &count, nullptr), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, layout.variable_names ? H5T_VARIABLE : 4);
    const hid_t set = H5Dcreate2(file, "extra/keys", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const char* pointers[] = {"one", "zwei"};
    const void* names = layout.variable_names ? static_cast<const void*>(pointers) : "one\0zwei";
    REQUIRE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0);
    H5Dclose(set);
    H5Tclose(type);
    H5Sclose(space);
  }
  H5Fclose(file);
}

hid_t half_type() {
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

std::string error_of(const fs::path& file) {
  try {
    read_shd(file);
  } catch (const FormatError& error) {
    return std::string(error.what()).substr(file.string().size());
  }
  return "no error";
}

TEST_CASE("what write_shd wrote is read back") {
  const test::TemporaryFolder folder;
  const SpikeTrainSet set = test::made_spike_trains(600, 3);  // more rows than lie in a chunk

  write_shd(folder / "a.h5", set);

  check_equal(read_shd(folder / "a.h5"), set);
}

TEST_CASE("times of 16, 32 and 64 bits and units of any width are the same spikes") {
  const test::TemporaryFolder folder;
  const hid_t half = half_type();
  const SpikeTrainSet expected{700,       {"one", "zwei"}, {{{0.125F, 0.25F, 0.5F}, {0, 699, 3}}, {}, {{1.5F}, {41}}},
                               {1, 0, 1}, {2, 0, 1},       {}};
  for (const hid_t time_type : {half, H5T_IEEE_F32LE, H5T_IEEE_F64LE})
    for (const hid_t unit_type : {H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE, H5T_STD_I32LE})
      for (const int storage : {0, 1, 2}) {
        write_layout(folder / "a.h5", {.time_type = time_type,
                                       .unit_type = unit_type,
                                       .chunked = storage > 0,
                                       .compressed = storage > 1,
                                       .variable_names = storage == 1});
        check_equal(read_shd(folder / "a.h5"), expected);
      }
  write_layout(folder / "a.h5", {.unit_type = H5T_STD_U8LE, .units = {{0, 255, 3}, {}, {41}}});
  CHECK(read_shd(folder / "a.h5").samples[0].channel == std::vector<std::uint16_t>{0, 255, 3});
  H5Tclose(half);
}

TEST_CASE("files of PyTables, plain and deflated, give the spikes that were put in") {
  for (const char* name : {"spikes.h5", "deflated.h5"}) {
    CAPTURE(name);
    const SpikeTrainSet set = read_shd(fs::path(SYNFIRE_SOURCE_DIR) / "tests/data/shd_pytables" / name);

    CHECK(set.num_channels == 700);
    CHECK(set.class_names == std::vector<std::string>{"zero", "one", "zwei"});
    CHECK(set.label == std::vector<std::int32_t>{0, 1, 2, 0, 1});
    CHECK(set.speaker == std::vector<std::int32_t>{4, 5, 4, 5, 6});
    REQUIRE(set.samples.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      REQUIRE(set.samples[i].t_s.size() == 3 * i);
      for (std::size_t k = 0; k < 3 * i; ++k) {
        CHECK(set.samples[i].t_s[k] == static_cast<float>(k) / 16.0F + static_cast<float>(i) / 1024.0F);
        CHECK(set.samples[i].channel[k] == 100 * i + 7 * k);
      }
    }
  }
}

TEST_CASE("a file without names and speakers is read, and one without samples") {
  const test::TemporaryFolder folder;
  write_layout(folder / "a.h5", {.names = false, .speakers = false});
  CHECK(read_shd(folder / "a.h5").class_names.empty());
  CHECK(read_shd(folder / "a.h5").speaker == std::vector<std::int32_t>{0, 0, 0});

  SpikeTrainSet empty = test::made_spike_trains(0, 1);
  empty.num_channels = 70;
  write_shd(folder / "b.h5", empty);
  CHECK(read_shd(folder / "b.h5").samples.empty());
  CHECK(read_shd(folder / "b.h5").num_channels == 70);
}

TEST_CASE("what does not fit together in a file of spike trains is named") {
  const test::TemporaryFolder folder;
  const auto error = [&](const Layout& layout) {
    write_layout(folder / "a.h5", layout);
    return error_of(folder / "a.h5");
  };
  CHECK(error({.labels = {1, 0}, .speaker = {0, 0}}) ==
        ": spikes/times: must hold one row for each of the 2 labels, has 3");
  CHECK(error({.speaker = {1, 0}}) == ": extra/speaker: must hold one row for each of the 3 labels, has 2");
  CHECK(error({.units = {{0, 699}, {}, {41}}}) == ": spikes/units: row 0 has 2 units and 3 times");
  CHECK(error({.units = {{0, 700, 3}, {}, {41}}}) == ": spikes/units: row 0, spike 1: channel 700 of 700");
  CHECK(error({.unit_type = H5T_STD_I16LE, .units = {{0, 1, 3}, {}, {65535}}}).starts_with(": spikes/units: row 2"));
  CHECK(error({.times = {{0.1, 0.2, -0.3}, {}, {0.0}}}) == ": spikes/times: row 0, spike 2: -0.3 s is not in 0..4294");
  CHECK(error({.times = {{0.1, 0.2, 1e9}, {}, {0.0}}}).starts_with(": spikes/times: row 0, spike 2"));
  CHECK(error({.times = {{0.1, 0.2, 0.3}, {}, {std::nan("")}}}).starts_with(": spikes/times: row 2, spike 0: nan"));
  CHECK(error({.labels = {1, 2, 0}}) == ": labels: value 1 is 2, but extra/keys names 2 classes");
  CHECK(error({.labels = {1, -1, 0}}) == ": labels: value 1 must be in 0..65535, is -1");
  CHECK(error({.time_type = H5T_IEEE_F32BE}) ==
        ": spikes/times: real numbers must be IEEE with 16, 32 or 64 bits, little-endian");
  CHECK(error({.unit_type = H5T_IEEE_F32LE}) == ": spikes/units: must hold arrays of integers");
  CHECK(error({.unit_type = H5T_STD_U16BE}).starts_with(": spikes/units: must hold arrays of"));
  CHECK_THROWS_AS(read_shd(folder / "nowhere.h5"), FileError);
  write_file_atomically(folder / "b.h5", "no HDF5");
  CHECK(error_of(folder / "b.h5") == ": is not an HDF5 file");
}

/// Either spikes that make sense, or one of our errors.
bool reads_or_throws_ours(const fs::path& file) {
  SpikeTrainSet set;
  try {
    set = read_shd(file);
  } catch (const Error&) {
    return false;
  }
  bool sound = set.samples.size() == set.label.size() && set.samples.size() == set.speaker.size();
  for (const SpikeTrain& train : set.samples) {
    sound = sound && train.t_s.size() == train.channel.size() &&
            std::all_of(train.t_s.begin(), train.t_s.end(), [](float t) { return t >= 0.0F && t < 5000.0F; }) &&
            std::all_of(train.channel.begin(), train.channel.end(), [&](int c) { return c < set.num_channels; });
  }
  REQUIRE(sound);
  return true;
}

/// Not write_file_atomically, which waits for the disk.
void write_bytes(const fs::path& file, const std::string& content) { std::ofstream(file, std::ios::binary) << content; }

/// Positions in the content at which `mark` begins.
std::vector<std::size_t> find_all(const std::string& content, const std::string& mark) {
  std::vector<std::size_t> places;
  for (std::size_t at = content.find(mark); at != std::string::npos; at = content.find(mark, at + 1))
    places.push_back(at);
  return places;
}

TEST_CASE("damaged references and heaps of spike trains give sound spikes or an error") {
  const test::TemporaryFolder folder;
  write_layout(folder / "a.h5", {});
  const std::string content = read_whole_file(folder / "a.h5");
  const std::vector<std::size_t> heaps = find_all(content, "GCOL");
  REQUIRE(!heaps.empty());
  // A reference: 3 elements, the position of the heap, the object's number.
  std::string reference(16, '\0');
  reference[0] = 3;
  const std::uint64_t heap = heaps[0];
  std::memcpy(reference.data() + 4, &heap, sizeof heap);
  reference[12] = 1;
  const std::vector<std::size_t> references = find_all(content, reference);
  REQUIRE(references.size() == 1);

  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 48; ++i) places.push_back(references[0] + i);
  for (const std::size_t begin : heaps)
    for (std::size_t i = 0; i < 160; ++i) places.push_back(begin + i);
  int num_read = 0, num_refused = 0;
  for (const std::size_t place : places) {
    for (const int value : {0x00, 0x01, 0x02, 0x7F, 0x80, 0xFF}) {
      std::string damaged = content;
      damaged[place] = static_cast<char>(value);
      write_bytes(folder / "b.h5", damaged);
      ++(reads_or_throws_ours(folder / "b.h5") ? num_read : num_refused);
    }
  }
  CHECK(num_read > 100);
  CHECK(num_refused > 100);
}

TEST_CASE("bits flipped anywhere in a file of spike trains give sound spikes or an error") {
  const test::TemporaryFolder folder;
  write_shd(folder / "a.h5", test::made_spike_trains(8, 2));
  const std::string content = read_whole_file(folder / "a.h5");
  const RandomStream random(13, 0, 0);
  int num_read = 0;
  constexpr std::uint64_t kFiles = 2000;
  for (std::uint64_t i = 0; i < kFiles; ++i) {
    std::string damaged = content;
    for (std::uint64_t k = 0; k <= i % 3; ++k) {
      const std::uint64_t bit = random.below(3 * i + k, 8 * damaged.size());
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    }
    write_bytes(folder / "b.h5", damaged);
    num_read += reads_or_throws_ours(folder / "b.h5") ? 1 : 0;
  }
  CHECK(num_read > 100);  // flips in spikes and in unused bytes; otherwise only headers were tried
  CHECK(num_read < static_cast<int>(kFiles) - 100);

  // The index says that a chunk is 4112 bytes long, the layout 4096.
  bool refused = false;
  for (const std::size_t at : find_all(content, std::string("\x00\x10\x00\x00", 4))) {
    std::string one = content;
    one[at] = '\x10';
    write_bytes(folder / "b.h5", one);
    reads_or_throws_ours(folder / "b.h5");
    try {
      read_shd(folder / "b.h5");
    } catch (const Error& error) {
      refused =
          refused || std::string(error.what()).find("has a chunk of 4112 bytes, expected 4096") != std::string::npos;
    }
  }
  CHECK(refused);
}

TEST_CASE("a file of spike trains cut anywhere gives an error") {
  const test::TemporaryFolder folder;
  write_shd(folder / "a.h5", test::made_spike_trains(8, 2));
  const std::string content = read_whole_file(folder / "a.h5");
  for (std::size_t size = 0; size < content.size(); size += 61) {
    write_bytes(folder / "b.h5", content.substr(0, size));
    CHECK_FALSE(reads_or_throws_ours(folder / "b.h5"));
  }
}

TEST_CASE("rows that claim more than the file has are refused before memory is asked for") {
  const test::TemporaryFolder folder;
  Layout layout;
  write_layout(folder / "a.h5", layout);
  std::string content = read_whole_file(folder / "a.h5");
  const std::uint64_t heap = content.find("GCOL");
  std::string reference(12, '\0');
  reference[0] = 3;
  std::memcpy(reference.data() + 4, &heap, sizeof heap);
  const std::size_t place = content.find(reference);
  REQUIRE(place != std::string::npos);
  content.replace(place, 4, "\xFF\xFF\xFF\x7F");
  write_bytes(folder / "b.h5", content);

  CHECK(error_of(folder / "b.h5").find("the rows up to 0 claim 8589934588 bytes") != std::string::npos);
}

}  // namespace
}  // namespace synfire::datasets
