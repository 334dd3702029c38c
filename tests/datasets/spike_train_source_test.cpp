#include "datasets/spike_train_source.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "tests/datasets/made_spike_trains.hpp"

namespace synfire::datasets {
namespace {

using Use = SplitUse;

struct Data {
  std::shared_ptr<SpikeTrainFiles> files = std::make_shared<SpikeTrainFiles>();
  std::vector<std::int64_t> samples;

  explicit Data(int num_samples) {
    files->set = test::made_spike_trains(num_samples, 3);
    files->names = {"first.h5", "second.h5"};
    files->first_of = {0, 7};
    samples.resize(static_cast<std::size_t>(num_samples));
    std::iota(samples.begin(), samples.end(), std::int64_t{0});
  }

  SpikeTrainSource source(Use use, int batch_size, const LoaderConfig& loader, const SpikeBinConfig& bins = {},
                          const SpikeAugmentConfig& augment = {}) const {
    return SpikeTrainSource(files, samples, use, bins, augment, batch_size, loader);
  }
};

struct Copy {
  Shape shape;
  std::vector<float> input;
  std::vector<std::int32_t> label;
  std::vector<std::int64_t> index, num_ticks;
  std::vector<std::int32_t> mixed_label;
  std::vector<float> label_weight;
  bool operator==(const Copy&) const = default;
};

std::vector<Copy> read_epoch(SpikeTrainSource& source, std::uint64_t seed, int epoch, std::int64_t first = 0) {
  std::vector<Copy> batches;
  Batch batch;
  source.start_epoch(seed, epoch, first);
  while (source.next(batch))
    batches.push_back({batch.input.shape(),
                       {batch.input.span().begin(), batch.input.span().end()},
                       batch.label,
                       batch.index,
                       batch.num_ticks,
                       batch.mixed_label,
                       batch.label_weight});
  return batches;
}

constexpr SpikeAugmentConfig kAugment{.drop_spikes_max = 0.3,
                                      .channel_jitter = 5.0,
                                      .shift_channels = 20,
                                      .stretch = 0.1,
                                      .shift_time_ms = 30.0,
                                      .noise_hz = 0.05,
                                      .cutmix = 0.5};

TEST_CASE("spike trains: an epoch is the same for any number of threads, and resumes at any batch") {
  const Data data(50);
  SpikeTrainSource reference = data.source(Use::training, 8, {.threads = 0}, {}, kAugment);
  const std::vector<Copy> expected = read_epoch(reference, 3, 1);
  REQUIRE(expected.size() == 7);

  for (const int threads : {1, 2, 5}) {
    CAPTURE(threads);
    SpikeTrainSource source =
        data.source(Use::training, 8, {.threads = threads, .prefetch = 1 + threads / 2}, {}, kAugment);
    CHECK(read_epoch(source, 3, 1) == expected);
    for (std::int64_t first = 0; first <= 7; first += 3)
      CHECK(read_epoch(source, 3, 1, first) == std::vector<Copy>(expected.begin() + first, expected.end()));
  }
}

TEST_CASE("spike trains are augmented anew in each epoch and for each seed, in training only") {
  const Data data(1);  // alone, so that its batch shows nothing but the augmentation
  SpikeTrainSource source = data.source(Use::training, 1, {}, {}, kAugment);
  const Copy first = read_epoch(source, 3, 0).at(0);

  CHECK(read_epoch(source, 3, 1).at(0).input != first.input);
  CHECK(read_epoch(source, 4, 0).at(0).input != first.input);
  CHECK(read_epoch(source, 3, 0).at(0) == first);
  CHECK(first.mixed_label.empty());  // there is nothing to mix with

  SpikeTrainSource evaluation = data.source(Use::evaluation, 1, {}, {}, kAugment);
  SpikeTrainSource plain = data.source(Use::evaluation, 1, {});
  CHECK(read_epoch(evaluation, 3, 0) == read_epoch(plain, 3, 0));
}

TEST_CASE("mixed samples are of the next sample in the batch, whatever that one is mixed with") {
  // Sample i fires in channel i only, at the same times, so that who a spike is from can be seen.
  Data data(4);
  for (std::uint16_t s = 0; s < 4; ++s) {
    SpikeTrain& train = data.files->set.samples[s];
    train = {};
    for (int i = 0; i <= 1000; ++i) {
      train.t_s.push_back(0.001F * static_cast<float>(i));
      train.channel.push_back(s);
    }
  }
  SpikeTrainSource source = data.source(Use::training, 4, {}, {.channel_group = 1}, {.cutmix = 1.0});

  const Copy batch = read_epoch(source, 3, 0).at(0);

  REQUIRE(batch.mixed_label.size() == 4);
  for (std::size_t b = 0; b < 4; ++b) {
    const std::size_t next = (b + 1) % 4;
    CHECK(batch.mixed_label[b] == batch.label[next]);
    std::vector<double> count(700);
    for (std::ptrdiff_t t = 0; t < batch.shape[0]; ++t)
      for (std::size_t c = 0; c < 700; ++c)
        count[c] += static_cast<double>(batch.input[(static_cast<std::size_t>(t) * 4 + b) * 700 + c]);
    const auto own = static_cast<std::size_t>(batch.index[b]), other = static_cast<std::size_t>(batch.index[next]);
    CHECK(count[own] + count[other] == 1001.0);
    CHECK(std::abs(count[own] / 1001.0 - static_cast<double>(batch.label_weight[b])) < 0.002);  // a spike at each end
    CHECK(count[other] > 0.0);
  }
}

TEST_CASE("a batch is as long as its longest sample, and zero behind the end of each") {
  const Data data(50);
  SpikeTrainSource source = data.source(Use::training, 8, {.threads = 2});
  std::set<std::int64_t> seen;
  std::ptrdiff_t longest = 0;

  for (const Copy& batch : read_epoch(source, 3, 0)) {
    const std::size_t size = batch.index.size();
    REQUIRE(batch.num_ticks.size() == size);
    CHECK(batch.shape ==
          Shape{*std::max_element(batch.num_ticks.begin(), batch.num_ticks.end()), std::ssize(batch.index), 140});
    longest = std::max(longest, batch.shape[0]);
    for (std::size_t b = 0; b < size; ++b) {
      seen.insert(batch.index[b]);
      const auto sample = static_cast<std::size_t>(batch.index[b]);
      CHECK(batch.label[b] == data.files->set.label[sample]);
      float inside = 0.0F, behind = 0.0F;
      for (std::ptrdiff_t t = 0; t < batch.shape[0]; ++t) {
        const auto tick = batch.input.begin() + (t * std::ssize(batch.index) + static_cast<std::ptrdiff_t>(b)) * 140;
        (t < batch.num_ticks[b] ? inside : behind) += std::accumulate(tick, tick + 140, 0.0F);
      }
      CHECK(inside == static_cast<float>(data.files->set.samples[sample].t_s.size()));
      CHECK(behind == 0.0F);
    }
  }
  CHECK(seen.size() == 50);
  CHECK(source.sample_shape() == Shape{longest, 140});
}

TEST_CASE("a batch that takes the memory of the one before holds nothing of it") {
  Data data(2);
  data.files->set.samples[1] = {{0.0F, data.files->set.samples[0].t_s.back() - data.files->set.samples[0].t_s.front()},
                                {0, 1}};
  SpikeTrainSource source = data.source(Use::evaluation, 1, {.threads = 0});
  Batch batch;

  source.start_epoch(0, 0, 0);
  REQUIRE(source.next(batch));
  const float* memory = batch.input.data();
  REQUIRE(source.next(batch));

  REQUIRE(batch.input.data() == memory);
  CHECK(std::accumulate(batch.input.span().begin(), batch.input.span().end(), 0.0F) == 2.0F);
}

TEST_CASE("spike trains for evaluation come in order, and samples know their files and spikes") {
  const Data data(17);
  SpikeTrainSource source(data.files, {3, 6, 7, 16}, Use::evaluation, {}, {}, 3, {});

  const std::vector<Copy> batches = read_epoch(source, 5, 5);
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].index == std::vector<std::int64_t>{0, 1, 2});
  CHECK(batches[1].index == std::vector<std::int64_t>{3});
  CHECK(source.file(1) == "first.h5");
  CHECK(source.file(2) == "second.h5");
  CHECK(source.label(3) == data.files->set.label[16]);
  CHECK(source.train(3).t_s == data.files->set.samples[16].t_s);
  CHECK(source.thumbnail_png(0).size() > 100);
}

TEST_CASE("a sample of more bins than can be meant is named") {
  Data data(2);
  data.files->set.samples[1].t_s.back() = 4000.0F;

  CHECK_THROWS_WITH_AS(data.source(Use::training, 2, {}, {.dt_ms = 1.0}),
                       doctest::Contains("first.h5: sample 1 has 3999"), ShapeError);
  CHECK_NOTHROW(data.source(Use::training, 2, {}, {.dt_ms = 1.0, .max_bins = 100}));
  CHECK_THROWS_AS(data.source(Use::training, 0, {}, {.max_bins = 10}), ShapeError);
}

}  // namespace
}  // namespace synfire::datasets
