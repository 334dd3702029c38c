#include "datasets/shd_writer.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <hdf5.h>

#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace synfire;
using namespace synfire::datasets;

namespace {

SpikeTrainSet small_set() {
  SpikeTrainSet set;
  set.num_channels = 70;
  set.class_names = {"zero", "one"};
  set.samples = {{{0.0F, 0.1F, 0.1F}, {5, 0, 69}}, {{}, {}}, {{1.0004F}, {3}}};
  set.label = {1, 0, 1};
  set.speaker = {0, 3, 65535};
  set.speaker_names = {"a", "bcd"};
  return set;
}

/// A row of a data set of variable-length arrays, converted by the HDF5 library alone.
template <class T>
std::vector<T> row(const std::filesystem::path& name, const char* path, hid_t native, std::size_t index) {
  const hid_t file = H5Fopen(name.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
  const hid_t space = H5Dget_space(set);
  const hid_t type = H5Tvlen_create(native);
  std::vector<hvl_t> rows(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  REQUIRE(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()) >= 0);
  const T* first = static_cast<const T*>(rows.at(index).p);
  std::vector<T> values(first, first + rows[index].len);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, rows.data());
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
  return values;
}

}  // namespace

TEST_CASE("the HDF5 library reads the rows, labels and speakers that were written") {
  const test::TemporaryFolder folder;
  const auto file = folder / "a.h5";
  write_shd(file, small_set());

  // Halves near 0.1 lie 2^-14 apart, near 1 they lie 2^-10 apart.
  CHECK(row<float>(file, "spikes/times", H5T_NATIVE_FLOAT, 0) ==
        std::vector<float>{0.0F, 0.0999755859375F, 0.0999755859375F});
  CHECK(row<std::uint16_t>(file, "spikes/units", H5T_NATIVE_UINT16, 0) == std::vector<std::uint16_t>{5, 0, 69});
  CHECK(row<float>(file, "spikes/times", H5T_NATIVE_FLOAT, 1).empty());
  CHECK(row<float>(file, "spikes/times", H5T_NATIVE_FLOAT, 2) == std::vector<float>{1.0F});
  const Hdf5File in = Hdf5File::open(file);
  CHECK(in.read<std::int64_t>("labels") == std::vector<std::int64_t>{1, 0, 1});
  CHECK(in.read<std::uint16_t>("extra/speaker") == std::vector<std::uint16_t>{0, 3, 65535});
  CHECK(in.read<std::int32_t>("extra/num_channels") == std::vector<std::int32_t>{70});
  CHECK(in.shape("extra/keys") == Shape{2});
}

TEST_CASE("more samples than are written at once come in order") {
  const test::TemporaryFolder folder;
  SpikeTrainSet set = small_set();
  constexpr std::uint16_t kSamples = 600;
  set.samples.clear();
  for (std::uint16_t i = 0; i < kSamples; ++i) set.samples.push_back({{0.5F}, {static_cast<std::uint16_t>(i % 70)}});
  set.label.assign(kSamples, 0);
  set.speaker.assign(kSamples, 0);
  write_shd(folder / "a.h5", set);

  for (const std::uint16_t i : std::vector<std::uint16_t>{0, 255, 256, 599})
    CHECK(row<std::uint16_t>(folder / "a.h5", "spikes/units", H5T_NATIVE_UINT16, i) ==
          std::vector<std::uint16_t>{static_cast<std::uint16_t>(i % 70)});
}

TEST_CASE("a set without samples has empty data sets") {
  const test::TemporaryFolder folder;
  SpikeTrainSet set;
  set.num_channels = 700;
  write_shd(folder / "a.h5", set);

  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK(in.shape("spikes/times") == Shape{0});
  CHECK(in.shape("labels") == Shape{0});
}

TEST_CASE("a set that contradicts itself is an error, and no file is left") {
  const test::TemporaryFolder folder;
  const auto refuses = [&](auto change, const char* text) {
    SpikeTrainSet set = small_set();
    change(set);
    CHECK_THROWS_WITH_AS(write_shd(folder / "a.h5", set), doctest::Contains(text), Error);
  };

  refuses([](SpikeTrainSet& set) { set.label.pop_back(); }, "got 3, 2 and 3");
  refuses([](SpikeTrainSet& set) { set.samples[0].t_s.pop_back(); }, "got 2 and 3");
  refuses([](SpikeTrainSet& set) { set.samples[2].t_s[0] = -0.001F; }, "sample 2: spike 0");
  refuses([](SpikeTrainSet& set) { set.samples[2].t_s[0] = NAN; }, "sample 2: spike 0");
  refuses([](SpikeTrainSet& set) { set.samples[2].t_s[0] = 65505.0F; }, "sample 2: spike 0");
  refuses([](SpikeTrainSet& set) { set.samples[0].channel[2] = 70; }, "channel 70, of 70");
  refuses([](SpikeTrainSet& set) { set.samples[0].t_s[1] = 0.2F; }, "spike 2 comes before");
  refuses([](SpikeTrainSet& set) { set.samples[0].channel = {5, 69, 0}; }, "spike 2 comes before");
  refuses([](SpikeTrainSet& set) { set.label[1] = 2; }, "label 2 is none of 2");
  refuses([](SpikeTrainSet& set) { set.speaker[1] = 65536; }, "16 bits");
  CHECK(std::filesystem::is_empty(folder.path()));
}
