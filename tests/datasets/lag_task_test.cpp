#include "datasets/lag_task.hpp"

#include <array>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "core/config.hpp"
#include "core/error.hpp"

namespace synfire::datasets {
namespace {

DataSplits open(const std::string& keys) {
  const Config config = Config::parse("[data]\nkind = \"lag\"\n" + keys, "lag.toml");
  DataSplits splits = open_data(config.root(), 64);
  config.root().finish();
  return splits;
}

/// Labels of an epoch, in its order.
std::vector<std::int32_t> labels(Split& split, std::uint64_t seed, int epoch, std::int64_t first_batch = 0) {
  std::vector<std::int32_t> result;
  Batch batch;
  split.start_epoch(seed, epoch, first_batch);
  while (split.next(batch)) result.insert(result.end(), batch.label.begin(), batch.label.end());
  return result;
}

TEST_CASE("in the lag task each input fires once, the second as many ticks later as the class says") {
  const DataSplits splits = open("");
  CHECK(splits.train->num_samples() == 2048);
  CHECK(splits.validation == nullptr);
  CHECK(splits.test->num_samples() == 1024);
  CHECK(splits.train->sample_shape() == Shape{24, 2});
  CHECK(splits.train->num_batches() == 32);

  Batch batch;
  std::array<int, 8> per_class{}, per_first_tick{};
  splits.train->start_epoch(1, 0, 0);
  while (splits.train->next(batch)) {
    REQUIRE(batch.input.shape() == Shape{24, 64, 2});
    for (std::ptrdiff_t b = 0; b < 64; ++b) {
      std::array<std::vector<int>, 2> ticks;
      for (int t = 0; t < 24; ++t) {
        for (std::size_t input = 0; input < 2; ++input) {
          const float count = batch.input[(t * 64 + b) * 2 + static_cast<std::ptrdiff_t>(input)];
          CHECK((count == 0.0F || count == 1.0F));
          if (count == 1.0F) ticks[input].push_back(t);
        }
      }
      REQUIRE(ticks[0].size() == 1);
      REQUIRE(ticks[1].size() == 1);
      const std::int32_t label = batch.label[static_cast<std::size_t>(b)];
      CHECK(ticks[1][0] - ticks[0][0] == label);
      CHECK(splits.train->label(batch.index[static_cast<std::size_t>(b)]) == label);
      ++per_class[static_cast<std::size_t>(label)];
      ++per_first_tick[static_cast<std::size_t>(ticks[0][0])];
    }
  }
  // 2,048 draws of one in eight: mean 256, standard deviation 15; five of them.
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(std::abs(per_class[i] - 256) <= 75);
    CHECK(std::abs(per_first_tick[i] - 256) <= 75);
  }
}

TEST_CASE("the lag task's splits are drawn apart, and an epoch's order depends on seed and epoch") {
  const std::string keys = "training_samples = 200\nvalidation_samples = 200\ntest_samples = 200\n";
  const DataSplits splits = open(keys), again = open(keys), other = open(keys + "seed = 1");
  const auto test = labels(*splits.test, 0, 0);

  CHECK(test == labels(*again.test, 5, 9));
  CHECK(test != labels(*other.test, 0, 0));
  CHECK(test != labels(*splits.validation, 0, 0));
  const auto epoch = labels(*splits.train, 3, 1);
  CHECK(epoch == labels(*again.train, 3, 1));
  CHECK(epoch != labels(*splits.train, 3, 2));
  const auto rest = labels(*splits.train, 3, 1, 2);
  CHECK(rest == std::vector<std::int32_t>(epoch.begin() + 128, epoch.end()));
  CHECK_FALSE(splits.test->thumbnail_png(0).empty());
}

TEST_CASE("the lag task refuses sizes that make no data") {
  CHECK_THROWS_AS(open("training_samples = 0"), ConfigError);
  CHECK_THROWS_AS(open("test_samples = 100000000000"), ConfigError);
  CHECK_THROWS_AS(open("lag = 3"), ConfigError);
}

}  // namespace
}  // namespace synfire::datasets
