#include "core/interrupt.hpp"

#include <csignal>
#include <initializer_list>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace synfire;

namespace {

/// Runs `action` in a process of its own and gives its exit code, or minus the signal that ended it.
template <class Action>
int run_apart(Action action) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    action();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("a first signal sets the flag and the program goes on; a new guard clears it") {
  for (const int signal : {SIGINT, SIGTERM}) {
    const InterruptGuard guard;
    CHECK_FALSE(interrupt_requested());
    ::raise(signal);
    CHECK(interrupt_requested());
  }
}

TEST_CASE("a second signal ends the program at once with 128 + signal") {
  const int code = run_apart([] {
    const InterruptGuard guard;
    ::raise(SIGTERM);
    ::raise(SIGINT);
  });

  CHECK(code == 128 + SIGINT);
}

TEST_CASE("when the guard is gone, signals end the program as before") {
  const int code = run_apart([] {
    // The test runner has a handler of its own.
    std::signal(SIGTERM, SIG_DFL);
    { const InterruptGuard guard; }
    ::raise(SIGTERM);
  });

  CHECK(code == -SIGTERM);
}
