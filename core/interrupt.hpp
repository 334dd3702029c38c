#pragma once

namespace synfire {

/// While one lives, Ctrl-C (SIGINT) and SIGTERM only set a flag, so that a loop which polls `interrupt_requested` can
/// end in good order. A second signal ends the program at once, with the exit code 128 + signal. At most one at a time.
class InterruptGuard {
 public:
  /// Clears the flag and takes the two signals.
  InterruptGuard();
  /// Gives the signals back to whoever had them.
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

/// True from the first signal on. Cheap enough for every step of a loop.
bool interrupt_requested() noexcept;

}  // namespace synfire
