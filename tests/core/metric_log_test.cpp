#include "core/metric_log.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace synfire;

namespace {

const std::vector<std::string> kNames{"loss", "accuracy"};

}  // namespace

TEST_CASE("rows are in both files as soon as they are written, and read back as the same bits") {
  const test::TemporaryFolder folder;
  MetricLog log(folder / "metrics", "epoch", kNames);
  const std::vector<double> first{0.1, 1.0 / 3.0};
  const std::vector<double> second{std::nan(""), std::numeric_limits<double>::infinity()};

  log.write(0, first);
  log.write(1, second);

  const MetricTable table = read_metrics(folder / "metrics");
  CHECK(table.count_name == "epoch");
  CHECK(table.value_names == kNames);
  CHECK(table.count == std::vector<std::int64_t>{0, 1});
  REQUIRE(table.values.size() == 2);
  CHECK(table.values[0][0] == 0.1);
  CHECK(table.values[1][0] == 1.0 / 3.0);
  CHECK(std::isnan(table.values[0][1]));
  CHECK(std::isinf(table.values[1][1]));
  CHECK(read_whole_file(folder / "metrics.csv") == "epoch,loss,accuracy\n0,0.1,0.3333333333333333\n1,nan,inf\n");
}

TEST_CASE("every line of the second file is a JSON object with the same numbers") {
  const test::TemporaryFolder folder;
  MetricLog log(folder / "metrics", "epoch", kNames);
  log.write(3, std::vector<double>{-0.5, 1e-300});
  log.write(4, std::vector<double>{std::nan(""), std::numeric_limits<double>::infinity()});

  const std::string content = read_whole_file(folder / "metrics.jsonl");
  const std::size_t line_end = content.find('\n');
  const auto first = nlohmann::json::parse(content.substr(0, line_end));
  const auto second = nlohmann::json::parse(content.substr(line_end + 1));

  CHECK(first["epoch"] == 3);
  CHECK(first["accuracy"] == 1e-300);
  CHECK(first["loss"] == -0.5);
  CHECK(second["loss"].is_null());
  CHECK(second["accuracy"].is_null());
}

TEST_CASE("a resumed log drops the rows from the resume point on, in both files, and goes on") {
  const test::TemporaryFolder folder;
  const auto write = [&](std::int64_t from, std::int64_t to, std::int64_t resume_at) {
    MetricLog log(folder / "metrics", "epoch", kNames, resume_at);
    for (std::int64_t epoch = from; epoch < to; ++epoch)
      log.write(epoch, std::vector<double>{1.0 / static_cast<double>(epoch + 1), 0.1 * static_cast<double>(epoch)});
  };
  write(0, 6, 0);
  const std::string whole_csv = read_whole_file(folder / "metrics.csv");
  const std::string whole_json = read_whole_file(folder / "metrics.jsonl");

  write(0, 5, 0);
  write(3, 6, 3);

  CHECK(read_whole_file(folder / "metrics.csv") == whole_csv);
  CHECK(read_whole_file(folder / "metrics.jsonl") == whole_json);
}

TEST_CASE("a last row that was cut short is dropped, by the reader and on resuming") {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "metrics.csv", "epoch,loss,accuracy\n0,1,2\n1,0.5,3\n2,0.2");

  CHECK(read_metrics(folder / "metrics").count == std::vector<std::int64_t>{0, 1});
  {
    MetricLog log(folder / "metrics", "epoch", kNames, 3);
    log.write(3, std::vector<double>{0.1, 4.0});
  }
  CHECK(read_whole_file(folder / "metrics.csv") == "epoch,loss,accuracy\n0,1,2\n1,0.5,3\n3,0.1,4\n");
}

TEST_CASE("resuming before the first row was written starts anew") {
  const test::TemporaryFolder folder;

  const MetricLog log(folder / "metrics", "epoch", kNames, 5);

  CHECK(read_metrics(folder / "metrics").count.empty());
}

TEST_CASE("other columns, another number of values and files that are no metrics are errors") {
  const test::TemporaryFolder folder;
  {
    MetricLog log(folder / "metrics", "epoch", kNames);
    CHECK_THROWS_AS(log.write(0, std::vector<double>{1.0}), ShapeError);
  }
  CHECK_THROWS_WITH_AS(MetricLog(folder / "metrics", "step", kNames, 1), doctest::Contains("step,loss,accuracy"),
                       FormatError);
  CHECK_THROWS_AS(MetricLog(folder.path() / "none" / "metrics", "epoch", kNames), FileError);
  CHECK_THROWS_AS(read_metrics(folder / "none"), FileError);
  const auto read = [&](const std::string& content) {
    write_file_atomically(folder / "bad.csv", content);
    return read_metrics(folder / "bad");
  };
  CHECK_THROWS_AS(read(""), FormatError);
  CHECK_THROWS_WITH_AS(read("epoch,loss\n0\n"), doctest::Contains("line 2 must have 2 columns, has 1"), FormatError);
  CHECK_THROWS_WITH_AS(read("epoch,loss\n0,1\n1,x\n"), doctest::Contains("line 3"), FormatError);
  CHECK_THROWS_AS(read("epoch,loss\n0.5,1\n"), FormatError);
}
