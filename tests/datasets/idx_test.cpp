#include "datasets/idx.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <zlib.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "tests/support/data_folder.hpp"

namespace synfire::datasets {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// 3 images of 2x2 pixels with the values 0 to 11.
std::string three_images() {
  std::string file("\0\0\x08\x03\0\0\0\x03\0\0\0\x02\0\0\0\x02", 16);
  for (char value = 0; value < 12; ++value) file += value;
  return file;
}

std::string gzipped(const std::string& plain) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_CASE("IDX images are read plain and compressed") {
  for (const std::string& file : {three_images(), gzipped(three_images())}) {
    const IdxImages images = decode_idx_images(bytes_of(file), "memory");

    CHECK(images.count == 3);
    CHECK(images.height == 2);
    CHECK(images.width == 2);
    REQUIRE(images.image(2).size() == 4);
    CHECK(images.image(2)[0] == 8);
    CHECK(images.image(2)[3] == 11);
  }
}

TEST_CASE("IDX labels are read, and images are not taken for labels") {
  const std::string file("\0\0\x08\x01\0\0\0\x03\x05\x00\x09", 11);

  CHECK(decode_idx_labels(bytes_of(file), "memory") == std::vector<std::uint8_t>{5, 0, 9});
  CHECK_THROWS_AS(decode_idx_labels(bytes_of(three_images()), "memory"), FormatError);
  CHECK_THROWS_AS(decode_idx_images(bytes_of(file), "memory"), FormatError);
}

TEST_CASE("an IDX file that is cut or goes on at any place is an error") {
  for (const std::string& file : {three_images(), gzipped(three_images())}) {
    for (std::size_t size = 0; size < file.size(); ++size)
      CHECK_THROWS_AS(decode_idx_images(bytes_of(file.substr(0, size)), "memory"), FormatError);
    CHECK_THROWS_AS(decode_idx_images(bytes_of(file + "x"), "memory"), FormatError);
  }
}

TEST_CASE("an IDX header with absurd sizes is an error before memory is asked for") {
  std::string file = three_images();
  std::memset(file.data() + 4, 0xff, 12);  // (2^32 - 1)^3 pixels overflow 64 bits

  CHECK_THROWS_AS(decode_idx_images(bytes_of(file), "memory"), FormatError);
  CHECK_THROWS_AS(decode_idx_images(bytes_of(gzipped(file)), "memory"), FormatError);
}

TEST_CASE("flipped bits in an IDX file give an array or an error") {
  for (const std::string& file : {three_images(), gzipped(three_images())}) {
    const RandomStream random(7, 0, 0);
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      std::string damaged = file;
      const std::uint64_t bit = random.below(i, 8 * file.size());
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      try {
        const IdxImages images = decode_idx_images(bytes_of(damaged), "memory");
        CHECK(images.pixels.size() == images.count * images.height * images.width);
      } catch (const Error&) {
      }
    }
  }
}

TEST_CASE("the MNIST training set is 60,000 images of 28x28 with labels 0 to 9") {
  const auto folder = test::data_folder();
  if (!folder) return;

  const IdxImages images = read_idx_images(*folder / "mnist" / "train-images-idx3-ubyte.gz");
  const std::vector<std::uint8_t> labels = read_idx_labels(*folder / "mnist" / "train-labels-idx1-ubyte.gz");

  CHECK(images.count == 60'000);
  CHECK(images.height == 28);
  CHECK(images.width == 28);
  CHECK(labels.size() == 60'000);
  CHECK(*std::max_element(labels.begin(), labels.end()) == 9);
  CHECK(labels[0] == 5);  // the first digit of the set is a five
}

}  // namespace
}  // namespace synfire::datasets
