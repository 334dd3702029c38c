#include "core/parallel.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace synfire {

namespace {

/// Flush-to-zero and denormals-are-zero while it lives: a membrane that decays towards zero would otherwise reach
/// numbers that some processors handle a hundred times slower.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040U); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#endif
};

/// Tells the thread sanitizer that the ranges of a loop come after what stands before it and before what stands behind
/// it. It cannot see that by itself, since the oneTBB library is not built for it. Nothing in other builds.
class LoopOrder {
 public:
#if defined(__SANITIZE_THREAD__)
  LoopOrder() { __tsan_release(this); }
  ~LoopOrder() { __tsan_acquire(this); }
  void begin_range() { __tsan_acquire(this); }
  void end_range() { __tsan_release(this); }
#else
  void begin_range() {}
  void end_range() {}
#endif
};

/// What holds while a range runs.
class RangeScope {
 public:
  explicit RangeScope(LoopOrder& order) : order_(order) { order_.begin_range(); }
  ~RangeScope() { order_.end_range(); }
  RangeScope(const RangeScope&) = delete;
  RangeScope& operator=(const RangeScope&) = delete;

 private:
  LoopOrder& order_;
  FlushDenormals guard_;
};

int hardware_threads() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

struct Workers {
  std::mutex mutex;
  int count = 0;
  /// oneTBB makes no more workers than there are hardware threads unless it is told so, and says that on stderr.
  std::optional<tbb::global_control> limit;
  std::shared_ptr<tbb::task_arena> arena;

  Workers() { resize(hardware_threads()); }
  void resize(int new_count) {
    count = new_count;
    // Of several limits the lowest holds, so the old one goes first.
    limit.reset();
    limit.emplace(tbb::global_control::max_allowed_parallelism,
                  static_cast<std::size_t>(std::max(new_count, hardware_threads())));
    arena = std::make_shared<tbb::task_arena>(new_count);
  }
};

Workers& workers() {
  static Workers instance;
  return instance;
}

std::shared_ptr<tbb::task_arena> current_arena() {
  const std::lock_guard lock(workers().mutex);
  return workers().arena;
}

}  // namespace

void set_num_threads(int num_threads) {
  const int count = num_threads > 0 ? num_threads : hardware_threads();
  const std::lock_guard lock(workers().mutex);
  if (count != workers().count) workers().resize(count);
}

int num_threads() {
  const std::lock_guard lock(workers().mutex);
  return workers().count;
}

void parallel_for(std::ptrdiff_t count, std::ptrdiff_t grain, FunctionRef<void(std::ptrdiff_t, std::ptrdiff_t)> body) {
  if (count <= 0) return;
  LoopOrder order;
  current_arena()->execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::ptrdiff_t>(0, count, static_cast<std::size_t>(std::max<std::ptrdiff_t>(1, grain))),
        [&](const tbb::blocked_range<std::ptrdiff_t>& range) {
          const RangeScope scope(order);
          body(range.begin(), range.end());
        });
  });
}

void parallel_chunks(std::ptrdiff_t count, int num_chunks,
                     FunctionRef<void(int, std::ptrdiff_t, std::ptrdiff_t)> body) {
  parallel_for(num_chunks, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t chunk = first; chunk < last; ++chunk) {
      const std::ptrdiff_t begin = count * chunk / num_chunks;
      const std::ptrdiff_t end = count * (chunk + 1) / num_chunks;
      if (begin < end) body(static_cast<int>(chunk), begin, end);
    }
  });
}

}  // namespace synfire
