#include "core/hdf5_file.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <hdf5.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace synfire;

namespace {

template <class T>
void write(Hdf5File& file, const std::string& path, const std::vector<T>& values, const Shape& shape) {
  file.write<T>(path, values, shape);
}

}  // namespace

TEST_CASE_TEMPLATE("numbers come back from an HDF5 file as they went in", T, float, double, std::int8_t, std::int16_t,
                   std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t) {
  const test::TemporaryFolder folder;
  const std::vector<T> values{std::numeric_limits<T>::lowest(), T{0}, T{1}, T{2}, T{3}, std::numeric_limits<T>::max()};

  Hdf5File out = Hdf5File::create(folder / "a.h5");
  write(out, "group/sub/values", values, {2, 3});
  out.commit();

  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK(in.shape("group/sub/values") == Shape{2, 3});
  CHECK(in.read<T>("group/sub/values") == values);
  std::vector<T> into(6);
  in.read_into<T>("group/sub/values", into);
  CHECK(into == values);
}

TEST_CASE("a file has its final name only after commit, and a file given up leaves nothing") {
  const test::TemporaryFolder folder;
  {
    Hdf5File out = Hdf5File::create(folder / "a.h5");
    write<float>(out, "x", {1.0F}, {1});
    CHECK(std::filesystem::exists(folder / "a.h5.partial"));
    CHECK_FALSE(std::filesystem::exists(folder / "a.h5"));
  }
  CHECK(std::filesystem::is_empty(folder.path()));

  Hdf5File out = Hdf5File::create(folder / "a.h5");
  write<float>(out, "x", {1.0F}, {1});
  out.commit();

  CHECK(std::filesystem::exists(folder / "a.h5"));
  CHECK_FALSE(std::filesystem::exists(folder / "a.h5.partial"));
}

TEST_CASE("equal content gives equal HDF5 files, byte for byte, a second later too") {
  const test::TemporaryFolder folder;
  for (const char* name : {"a.h5", "b.h5"}) {
    // The library counts the time of a change in seconds.
    if (std::string(name) == "b.h5") std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    Hdf5File out = Hdf5File::create(folder / name);
    write<double>(out, "weights/w", {1.0, 2.0}, {2});
    out.append<std::int32_t>("t", std::vector<std::int32_t>{1, 2, 3});
    out.write_text("config", "a = 1\n");
    out.commit();
  }

  CHECK(read_whole_file(folder / "a.h5") == read_whole_file(folder / "b.h5"));
}

TEST_CASE("a data set of rank 0 and one without elements keep their shape") {
  const test::TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  write<std::int64_t>(out, "scalar", {42}, {});
  write<float>(out, "empty", {}, {0, 4});
  out.commit();

  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK(in.shape("scalar") == Shape{});
  CHECK(in.read<std::int64_t>("scalar") == std::vector<std::int64_t>{42});
  CHECK(in.shape("empty") == Shape{0, 4});
  CHECK(in.read<float>("empty").empty());
}

TEST_CASE("a damaged byte of values that were appended is noticed without compression too") {
  const test::TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  const std::vector<std::uint16_t> values(1000, 0x6B6B);  // "kk"
  out.append<std::uint16_t>("x", values, false);
  out.commit();
  CHECK(Hdf5File::open(folder / "a.h5").read<std::uint16_t>("x") == values);

  std::string content = read_whole_file(folder / "a.h5");
  content[content.find("kkkkkkkk") + 500] = 'j';
  write_file_atomically(folder / "a.h5", content);

  CHECK_THROWS_AS(Hdf5File::open(folder / "a.h5").read<std::uint16_t>("x"), FormatError);
}

TEST_CASE("appending grows a data set, and any range of it can be read alone") {
  const test::TemporaryFolder folder;
  constexpr std::uint32_t kParts = 50;
  constexpr std::uint32_t kPartLength = 997;
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  std::uint32_t next = 0;
  for (std::uint32_t part = 0; part < kParts; ++part) {
    std::vector<std::uint32_t> values(kPartLength);
    for (std::uint32_t& value : values) value = next++;
    out.append<std::uint32_t>("events/t", values);
  }
  out.append<std::uint32_t>("events/t", {});
  out.commit();

  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK(in.shape("events/t") == Shape{kParts * kPartLength});
  std::vector<std::uint32_t> range(3);
  in.read_range<std::uint32_t>("events/t", 16383, range);
  CHECK(range == std::vector<std::uint32_t>{16383, 16384, 16385});
  CHECK_THROWS_AS(in.read_range<std::uint32_t>("events/t", kParts * kPartLength - 2, range), FormatError);
  CHECK_THROWS_AS(in.read_range<std::uint32_t>("events/t", -1, range), FormatError);
}

TEST_CASE("members are sorted, and a missing group has none") {
  const test::TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  for (const char* name : {"layer/w", "layer/b", "layer/norm/mean", "step"}) write<float>(out, name, {0.0F}, {1});
  out.commit();

  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK(in.members("") == std::vector<std::string>{"layer", "step"});
  CHECK(in.members("layer") == std::vector<std::string>{"b", "norm", "w"});
  CHECK(in.members("nothing/here").empty());
  CHECK(in.has("layer/norm/mean"));
  CHECK(in.has("layer/norm"));
  CHECK_FALSE(in.has("layer/norm/variance"));
  CHECK_FALSE(in.has("nothing/here"));
}

TEST_CASE("text with any UTF-8 and several lines comes back; a zero byte is refused") {
  const test::TemporaryFolder folder;
  const std::string text = "[network]\nname = \"µ-net\"\n";
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  out.write_text("config", text);
  out.write_text("nothing", "");
  CHECK_THROWS_AS(out.write_text("bad", std::string("a\0b", 3)), FormatError);
  out.commit();

  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK(in.read_text("config") == text);
  CHECK(in.read_text("nothing").empty());
}

TEST_CASE("what is missing or of another kind is a FormatError that names the file and the path inside") {
  const test::TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  write<float>(out, "group/real", {1.5F, 2.5F}, {2});
  write<std::int32_t>(out, "whole", {-1, 300}, {2});
  out.write_text("text", "words");
  out.commit();
  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  std::vector<float> three(3);

  CHECK_THROWS_WITH_AS(in.read<float>("group/imaginary"), doctest::Contains("a.h5: group/imaginary: is missing"),
                       FormatError);
  CHECK_THROWS_AS(in.read<float>("group/real/below"), FormatError);
  CHECK_THROWS_AS(in.read<float>("group"), FormatError);
  CHECK_THROWS_WITH_AS(in.read<std::int32_t>("group/real"), doctest::Contains("must hold integers"), FormatError);
  CHECK_THROWS_WITH_AS(in.read<float>("whole"), doctest::Contains("must hold real numbers"), FormatError);
  CHECK_THROWS_WITH_AS(in.read<float>("text"), doctest::Contains("must hold real numbers"), FormatError);
  CHECK_THROWS_AS(in.read_text("whole"), FormatError);
  CHECK_THROWS_WITH_AS(in.read_into<float>("group/real", three), doctest::Contains("[2]"), FormatError);
  CHECK_THROWS_AS(in.members("whole"), FormatError);
}

TEST_CASE("number types of one class convert; a value that does not fit is an error, not a wrong number") {
  const test::TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  write<std::int64_t>(out, "small", {-5, 7}, {2});
  write<std::int64_t>(out, "large", {70000}, {1});
  write<double>(out, "real", {0.5, std::numeric_limits<double>::infinity()}, {2});
  write<double>(out, "huge", {1e300}, {1});
  out.commit();
  const Hdf5File in = Hdf5File::open(folder / "a.h5");

  CHECK(in.read<std::int8_t>("small") == std::vector<std::int8_t>{-5, 7});
  CHECK(in.read<float>("real") == std::vector<float>{0.5F, std::numeric_limits<float>::infinity()});
  CHECK_THROWS_AS(in.read<std::uint16_t>("large"), FormatError);
  CHECK_THROWS_AS(in.read<std::uint8_t>("small"), FormatError);
  CHECK_THROWS_AS(in.read<float>("huge"), FormatError);
}

TEST_CASE("a missing, a foreign and a truncated file are errors that name it") {
  const test::TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  write<double>(out, "x", std::vector<double>(10000, 1.0), {10000});
  out.commit();
  const std::string whole = read_whole_file(folder / "a.h5");
  write_file_atomically(folder / "half.h5", std::string_view(whole).substr(0, whole.size() / 2));
  write_file_atomically(folder / "text.h5", "not HDF5 at all");
  write_file_atomically(folder / "empty.h5", "");

  CHECK_THROWS_WITH_AS(Hdf5File::open(folder / "none.h5"), doctest::Contains("none.h5: no such file"), FileError);
  CHECK_THROWS_WITH_AS(Hdf5File::open(folder / "half.h5"), doctest::Contains("truncated"), FileError);
  CHECK_THROWS_AS(Hdf5File::open(folder / "text.h5"), FormatError);
  CHECK_THROWS_AS(Hdf5File::open(folder / "empty.h5"), FormatError);
  CHECK_THROWS_AS(Hdf5File::create(folder.path() / "no" / "folder.h5"), FileError);
}

TEST_CASE("values and shape must agree, a path is written once, a file open for reading cannot be written") {
  const test::TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder / "a.h5");
  write<float>(out, "x", {1.0F}, {1});
  CHECK_THROWS_AS(write<float>(out, "y", {1.0F}, {2}), ShapeError);
  CHECK_THROWS_AS(write<float>(out, "x", {1.0F}, {1}), FileError);
  out.commit();
  CHECK_THROWS_AS(out.commit(), FileError);
  CHECK_THROWS_AS(out.has("x"), FileError);

  Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK_THROWS_AS(write<float>(in, "z", {1.0F}, {1}), FileError);
  CHECK_THROWS_AS(in.commit(), FileError);
}

TEST_CASE("a moved file is committed by its new owner, and only there") {
  const test::TemporaryFolder folder;
  Hdf5File first = Hdf5File::create(folder / "a.h5");
  Hdf5File second = std::move(first);
  write<float>(second, "x", {1.0F}, {1});
  second.commit();

  CHECK(Hdf5File::open(folder / "a.h5").read<float>("x") == std::vector<float>{1.0F});
}

TEST_CASE("a file of another program is read: big-endian numbers, text of fixed length") {
  const test::TemporaryFolder folder;
  const hid_t file = H5Fcreate((folder / "a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const std::array<hsize_t, 1> three{3};
  const std::array<double, 3> values{0.5, -2.0, 1e10};
  const hid_t space = H5Screate_simple(1, three.data(), nullptr);
  const hid_t set = H5Dcreate2(file, "big", H5T_IEEE_F64BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, 8);
  const hid_t scalar = H5Screate(H5S_SCALAR);
  const hid_t text = H5Dcreate2(file, "text", type, scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(text, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, "words\0\0");
  for (const hid_t id : {set, text}) H5Dclose(id);
  for (const hid_t id : {space, scalar}) H5Sclose(id);
  H5Tclose(type);
  H5Fclose(file);

  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK(in.read<double>("big") == std::vector<double>{0.5, -2.0, 1e10});
  CHECK(in.read<float>("big") == std::vector<float>{0.5F, -2.0F, 1e10F});
  CHECK(in.read_text("text") == "words");
}

TEST_CASE("a data set that claims far more than is stored is an error before memory is asked for") {
  const test::TemporaryFolder folder;
  const hid_t file = H5Fcreate((folder / "a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);
  const std::array<hsize_t, 1> chunk{1024};
  H5Pset_chunk(chunked, 1, chunk.data());
  for (const auto& [name, length] : {std::pair{"little", hsize_t{2000}}, std::pair{"huge", hsize_t{1} << 40U}}) {
    const hid_t space = H5Screate_simple(1, &length, nullptr);
    const hid_t set = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, chunked, H5P_DEFAULT);
    H5Dclose(set);
    H5Sclose(space);
  }
  H5Pclose(chunked);
  H5Fclose(file);

  const Hdf5File in = Hdf5File::open(folder / "a.h5");
  CHECK(in.read<double>("little") == std::vector<double>(2000, 0.0));
  CHECK_THROWS_WITH_AS(in.read<double>("huge"), doctest::Contains("claims 1099511627776 values"), FormatError);
}

TEST_CASE("files of several threads do not disturb each other") {
  const test::TemporaryFolder folder;
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      Hdf5File out = Hdf5File::create(folder / (std::to_string(i) + ".h5"));
      for (int part = 0; part < 100; ++part) out.append<std::int32_t>("x", std::vector<std::int32_t>(10, i));
      out.commit();
    });
  for (std::thread& thread : threads) thread.join();

  for (int i = 0; i < kThreads; ++i)
    CHECK(Hdf5File::open(folder / (std::to_string(i) + ".h5")).read<std::int32_t>("x") ==
          std::vector<std::int32_t>(1000, i));
}
