#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/batch.hpp"

namespace synfire::datasets {

/// Builds numbered batches ahead of their reader, on threads of its own, and hands them over in order. At most
/// `capacity` batches are built or waiting at any time; their memory is reused.
class BatchPrefetcher {
 public:
  /// Fills `batch` with batch `number`. `worker` is below max(1, threads); no two calls at a time have the same.
  /// What it writes must depend on `number` alone.
  using Build = std::function<void(std::int64_t number, int worker, Batch& batch)>;

  /// With 0 threads `next` builds, in the thread that calls it.
  BatchPrefetcher(int threads, int capacity, Build build);
  /// Waits for the batches under way.
  ~BatchPrefetcher();
  BatchPrefetcher(const BatchPrefetcher&) = delete;
  BatchPrefetcher& operator=(const BatchPrefetcher&) = delete;

  /// Drops what is ready and waits for the batches under way: afterwards nothing is built until `start`.
  void stop();
  /// Begins again at batch `first`; the batches end before `end`.
  void start(std::int64_t first, std::int64_t end);
  /// The next batch, in exchange for the memory of `batch`; false at the end. An exception of `build` comes out here,
  /// at the batch that it belongs to, and again at every later call.
  bool next(Batch& batch);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace synfire::datasets
