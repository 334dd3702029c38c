#include "datasets/batch_prefetcher.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace synfire::datasets {

struct BatchPrefetcher::State {
  struct Slot {
    Batch batch;
    std::exception_ptr error;
    bool ready = false;
  };

  Build build;
  std::mutex mutex;
  std::condition_variable may_build;
  std::condition_variable is_built;
  // Batch n lies in slot n mod capacity. next_to_give <= next_to_build <= next_to_give + capacity.
  std::vector<Slot> slots;
  std::int64_t next_to_give = 0;
  std::int64_t next_to_build = 0;
  std::int64_t end = 0;
  int num_building = 0;
  bool quit = false;
  std::vector<std::jthread> threads;  ///< last: joined before the rest goes

  Slot& slot(std::int64_t number) { return slots[static_cast<std::size_t>(number) % slots.size()]; }
  bool has_work() const {
    return next_to_build < std::min(end, next_to_give + static_cast<std::int64_t>(slots.size()));
  }

  void work(int worker) {
    std::unique_lock lock(mutex);
    while (true) {
      may_build.wait(lock, [&] { return quit || has_work(); });
      if (quit) return;
      const std::int64_t number = next_to_build++;
      Slot& mine = slot(number);
      ++num_building;
      lock.unlock();
      std::exception_ptr error;
      try {
        build(number, worker, mine.batch);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      mine.error = error;
      mine.ready = true;
      --num_building;
      is_built.notify_all();
    }
  }
};

BatchPrefetcher::BatchPrefetcher(int threads, int capacity, Build build) : state_(std::make_unique<State>()) {
  state_->build = std::move(build);
  state_->slots.resize(static_cast<std::size_t>(std::max(1, capacity)));
  for (int worker = 0; worker < threads; ++worker)
    state_->threads.emplace_back([state = state_.get(), worker] { state->work(worker); });
}

BatchPrefetcher::~BatchPrefetcher() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->quit = true;
  }
  state_->may_build.notify_all();
}

void BatchPrefetcher::stop() {
  std::unique_lock lock(state_->mutex);
  state_->end = 0;
  state_->is_built.wait(lock, [&] { return state_->num_building == 0; });
  for (State::Slot& slot : state_->slots) {
    slot.ready = false;
    slot.error = nullptr;
  }
}

void BatchPrefetcher::start(std::int64_t first, std::int64_t end) {
  stop();
  {
    const std::lock_guard lock(state_->mutex);
    state_->next_to_give = state_->next_to_build = first;
    state_->end = end;
  }
  state_->may_build.notify_all();
}

bool BatchPrefetcher::next(Batch& batch) {
  std::unique_lock lock(state_->mutex);
  if (state_->next_to_give >= state_->end) return false;
  if (state_->threads.empty()) {
    state_->build(state_->next_to_give, 0, batch);
    ++state_->next_to_give;
    return true;
  }
  State::Slot& slot = state_->slot(state_->next_to_give);
  state_->is_built.wait(lock, [&] { return slot.ready; });
  if (slot.error) std::rethrow_exception(slot.error);
  std::swap(batch, slot.batch);
  slot.ready = false;
  ++state_->next_to_give;
  lock.unlock();
  state_->may_build.notify_one();
  return true;
}

}  // namespace synfire::datasets
