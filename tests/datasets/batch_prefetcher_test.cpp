#include "datasets/batch_prefetcher.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"

namespace synfire::datasets {
namespace {

/// Takes a random time, so that batches are finished out of order.
void build_slowly(std::int64_t number, int /*worker*/, Batch& batch) {
  std::this_thread::sleep_for(
      std::chrono::microseconds(RandomStream(1, 0, 0).below(static_cast<std::uint64_t>(number), 300)));
  batch.index.assign(1, number);
}

std::vector<std::int64_t> read_all(BatchPrefetcher& prefetcher) {
  std::vector<std::int64_t> numbers;
  Batch batch;
  while (prefetcher.next(batch)) numbers.push_back(batch.index.at(0));
  return numbers;
}

TEST_CASE("batches come in order, each once, for any number of threads and slots") {
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 3; i < 60; ++i) expected.push_back(i);

  for (const int threads : {0, 1, 2, 8}) {
    for (const int capacity : {1, 2, 7}) {
      CAPTURE(threads);
      CAPTURE(capacity);
      BatchPrefetcher prefetcher(threads, capacity, build_slowly);
      prefetcher.start(3, 60);
      CHECK(read_all(prefetcher) == expected);
    }
  }
}

TEST_CASE("a new start in the middle drops what was ready") {
  BatchPrefetcher prefetcher(4, 4, build_slowly);
  Batch batch;

  for (std::int64_t first = 0; first < 50; ++first) {
    prefetcher.start(first, first + 40);
    REQUIRE(prefetcher.next(batch));
    CHECK(batch.index.at(0) == first);
  }
}

TEST_CASE("no more batches than slots are built ahead, and their memory is reused") {
  std::atomic<int> built{0};
  std::atomic<int> fresh{0};
  BatchPrefetcher prefetcher(2, 3, [&](std::int64_t, int, Batch& batch) {
    ++built;
    if (batch.label.empty()) ++fresh;
    batch.label.assign(1, 0);
  });
  Batch batch;

  prefetcher.start(0, 100);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(built == 3);
  for (int i = 0; i < 100; ++i) REQUIRE(prefetcher.next(batch));
  CHECK(built == 100);
  CHECK(fresh <= 4);  // three slots and the reader's own
}

TEST_CASE("an exception of a worker arrives at the batch that it belongs to, and stays") {
  for (const int threads : {0, 2}) {
    CAPTURE(threads);
    BatchPrefetcher prefetcher(threads, 4, [](std::int64_t number, int, Batch& batch) {
      if (number == 2) throw FileError("digit.bin", "is gone");
      batch.index.assign(1, number);
    });
    Batch batch;

    prefetcher.start(0, 10);
    CHECK(prefetcher.next(batch));
    CHECK(prefetcher.next(batch));
    CHECK_THROWS_WITH_AS(prefetcher.next(batch), "digit.bin: is gone", FileError);
    CHECK_THROWS_AS(prefetcher.next(batch), FileError);
    prefetcher.start(5, 7);
    CHECK(read_all(prefetcher) == std::vector<std::int64_t>{5, 6});
  }
}

TEST_CASE("a prefetcher may be destroyed while it works") {
  for (int i = 0; i < 20; ++i) {
    BatchPrefetcher prefetcher(3, 5, build_slowly);
    prefetcher.start(0, 1000);
  }
}

}  // namespace
}  // namespace synfire::datasets
