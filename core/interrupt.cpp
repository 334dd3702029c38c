#include "core/interrupt.hpp"

#include <array>
#include <atomic>
#include <csignal>

#include <unistd.h>

namespace synfire {

namespace {

constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};

std::atomic<bool> requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch nothing that locks");
std::array<struct sigaction, 2> before{};

void handle(int signal) {
  if (requested.exchange(true)) ::_exit(128 + signal);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  requested = false;
  struct sigaction action {};
  action.sa_handler = handle;
  // Reads and writes that a signal finds waiting go on, so a file that is being written is not cut short.
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before[i]);
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

bool interrupt_requested() noexcept { return requested.load(std::memory_order_relaxed); }

}  // namespace synfire
