// Every recording of the index whose format is read here, against the counts and column digests of the index, which
// come from independent Python decoders.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include "datasets/event_reader.hpp"
#include "tests/support/data_folder.hpp"

namespace synfire::datasets {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<std::string> split_csv_line(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  }
  return cells;
}

std::vector<Row> read_index(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  const std::vector<std::string> names = split_csv_line(line);
  std::vector<Row> rows;
  while (std::getline(stream, line)) {
    const std::vector<std::string> cells = split_csv_line(line);
    for (std::size_t i = 0; i == 0 || i < cells.size(); ++i) {
      if (i == 0) rows.emplace_back();
      rows.back()[names.at(i)] = cells[i];
    }
  }
  return rows;
}

template <class Column>
std::string sha3_224(const Column& column) {
  const auto bytes = std::as_bytes(std::span(column));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  REQUIRE(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha3_224(), nullptr) == 1);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4U];
    hex += "0123456789abcdef"[digest[i] & 15U];
  }
  return hex;
}

void check_row(const std::filesystem::path& folder, const Row& row, const ReadOptions& options) {
  CAPTURE(row.at("path"));
  const Recording recording = read_recording(folder / row.at("path"), options);
  const EventStream& events = recording.events;

  REQUIRE(events.size() == std::stoull(row.at("events")));
  CHECK(events.t_us.front() == std::stoll(row.at("t_first_us")));
  CHECK(events.t_us.back() == std::stoll(row.at("t_last_us")));
  CHECK(*std::ranges::min_element(events.x) == std::stoi(row.at("x_min")));
  CHECK(*std::ranges::max_element(events.x) == std::stoi(row.at("x_max")));
  CHECK(*std::ranges::min_element(events.y) == std::stoi(row.at("y_min")));
  CHECK(*std::ranges::max_element(events.y) == std::stoi(row.at("y_max")));
  CHECK(std::ranges::count(events.on, 1) == std::stoll(row.at("on")));
  CHECK(std::ranges::count(events.on, 0) == std::stoll(row.at("off")));
  CHECK(recording.backward_steps == std::stoll(row.at("back_steps")));
  CHECK(sha3_224(events.t_us) == row.at("sha3_t_i64"));
  CHECK(sha3_224(events.x) == row.at("sha3_x_u16"));
  CHECK(sha3_224(events.y) == row.at("sha3_y_u16"));
  CHECK(sha3_224(events.on) == row.at("sha3_on_u8"));
}

/// Checks all files whose format in the index begins with `format`; there must be `expected` of them.
void check_format(const std::string& format, int expected, ReadOptions options = {}) {
  const auto folder = test::data_folder();
  if (!folder) return;
  options.orientation = Orientation::as_stored;  // the index does not mirror
  int num_files = 0;
  for (const Row& row : read_index(*folder / "index.csv")) {
    if (!row.at("format").starts_with(format) || row.at("events").empty()) continue;
    check_row(*folder, row, options);
    ++num_files;
  }
  CHECK(num_files == expected);
}

TEST_CASE("AEDAT 2.0 recordings of a DVS128 have the columns of the index") { check_format("AEDAT2 DVS128", 26); }
TEST_CASE("AEDAT 2.0 recordings of a DAVIS240 have the columns of the index") { check_format("AEDAT2 DAVIS240", 2); }
TEST_CASE("AEDAT4 recordings, LZ4, ZSTD or not compressed, have the columns of the index") {
  check_format("AEDAT4", 28);
}
TEST_CASE("hand-made AEDAT 3.1 files, whose events are all marked invalid, have the columns of the index") {
  ReadOptions options;
  options.keep_invalid = true;
  check_format("AEDAT3.1", 5, options);
}
TEST_CASE("N-MNIST and N-Caltech101 recordings have the columns of the index") { check_format("N-MNIST bin", 885); }

}  // namespace
}  // namespace synfire::datasets
