#include "core/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.hpp"

using namespace synfire;

namespace {

/// Sets the number of threads for one test and gives the old one back.
class ThreadSetting {
 public:
  explicit ThreadSetting(int count) : before_(num_threads()) { set_num_threads(count); }
  ~ThreadSetting() { set_num_threads(before_); }
  ThreadSetting(const ThreadSetting&) = delete;
  ThreadSetting& operator=(const ThreadSetting&) = delete;

 private:
  int before_;
};

/// A denormal number made where no compiler sees its value.
float denormal() {
  volatile float tiny = std::numeric_limits<float>::min();
  return tiny * 0.25F;
}

}  // namespace

TEST_CASE("every index is visited exactly once, for 1, 2 and 8 threads") {
  for (const int threads : {1, 2, 8}) {
    const ThreadSetting setting(threads);
    for (const std::ptrdiff_t count : {1, 2, 31, 1000, 100000}) {
      for (const std::ptrdiff_t grain : {0, 1, 7, 1000000}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));

        parallel_for(count, grain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
          for (std::ptrdiff_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });

        CHECK(std::all_of(visits.begin(), visits.end(), [](const std::atomic<int>& v) { return v == 1; }));
      }
    }
  }
}

TEST_CASE("nothing runs for an empty or negative count") {
  int calls = 0;
  parallel_for(0, 1, [&](std::ptrdiff_t, std::ptrdiff_t) { ++calls; });
  parallel_for(-5, 1, [&](std::ptrdiff_t, std::ptrdiff_t) { ++calls; });
  parallel_chunks(0, 8, [&](int, std::ptrdiff_t, std::ptrdiff_t) { ++calls; });

  CHECK(calls == 0);
}

TEST_CASE("chunks are cut the same way for any number of threads") {
  struct Chunk {
    std::ptrdiff_t begin;
    std::ptrdiff_t end;
    bool operator==(const Chunk&) const = default;
  };
  const auto cut = [](int threads, std::ptrdiff_t count, int num_chunks) {
    const ThreadSetting setting(threads);
    std::vector<Chunk> chunks(static_cast<std::size_t>(num_chunks), Chunk{-1, -1});
    parallel_chunks(count, num_chunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      chunks[static_cast<std::size_t>(chunk)] = {begin, end};
    });
    return chunks;
  };

  CHECK(cut(1, 10, 4) == std::vector<Chunk>{{0, 2}, {2, 5}, {5, 7}, {7, 10}});
  for (const std::ptrdiff_t count : {1, 10, 1001}) {
    CHECK(cut(2, count, 16) == cut(1, count, 16));
    CHECK(cut(8, count, 16) == cut(1, count, 16));
  }
}

TEST_CASE("a sum of partial sums has the same bits for 1, 2 and 8 threads") {
  const auto sum = [](int threads) {
    const ThreadSetting setting(threads);
    constexpr int kChunks = 32;
    const RandomStream stream(3, 0, 0);
    std::vector<float> partial(kChunks);
    parallel_chunks(100000, kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin; i < end; ++i)
        partial[static_cast<std::size_t>(chunk)] += static_cast<float>(stream.normal(static_cast<std::uint64_t>(i)));
    });
    float total = 0.0F;
    for (const float part : partial) total += part;
    return total;
  };

  const float one = sum(1);
  CHECK(one != 0.0F);
  CHECK(sum(2) == one);
  CHECK(sum(8) == one);
}

TEST_CASE("denormal numbers are flushed to zero in every worker, and as before outside") {
  const ThreadSetting setting(4);
  std::atomic<int> kept = 0;
  std::mutex mutex;
  std::set<std::thread::id> workers;

  // Every range waits for a second thread, so that the loop does not run in the calling thread alone. A busy machine
  // may take long to wake one.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  parallel_for(64, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i)
      if (denormal() != 0.0F) ++kept;
    {
      const std::lock_guard lock(mutex);
      workers.insert(std::this_thread::get_id());
    }
    while (std::chrono::steady_clock::now() < deadline) {
      {
        const std::lock_guard lock(mutex);
        if (workers.size() > 1) break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });

  CHECK(workers.size() > 1);
  CHECK(kept == 0);
  CHECK(denormal() != 0.0F);
}

TEST_CASE("the number of threads is a setting, and 0 means all that the machine has") {
  const ThreadSetting setting(3);
  CHECK(num_threads() == 3);
  set_num_threads(0);
  CHECK(num_threads() == static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}

TEST_CASE("an exception in a body reaches the caller, and the next loop runs") {
  const ThreadSetting setting(2);
  const auto fail_at = [](std::ptrdiff_t bad) {
    parallel_for(100, 1, [bad](std::ptrdiff_t begin, std::ptrdiff_t end) {
      if (begin <= bad && bad < end) throw std::runtime_error("bad index");
    });
  };

  CHECK_THROWS_WITH_AS(fail_at(57), "bad index", std::runtime_error);
  CHECK_NOTHROW(fail_at(-1));
}
