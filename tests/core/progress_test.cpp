#include "core/progress.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "core/atomic_file.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace synfire;

namespace {

/// What a display of the given style prints while `action` uses it.
template <class Action>
std::string printed(Progress::Options options, Action action) {
  const test::TemporaryFolder folder;
  options.output = std::fopen((folder / "out").c_str(), "w");
  REQUIRE(options.output != nullptr);
  {
    Progress progress("work", options);
    action(progress);
  }
  std::fclose(options.output);
  return read_whole_file(folder / "out");
}

}  // namespace

TEST_CASE("durations read like a clock") {
  CHECK(duration_text(0.04) == "0.0 s");
  CHECK(duration_text(9.94) == "9.9 s");
  CHECK(duration_text(9.96) == "10 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.6) == "1 min 00 s");
  CHECK(duration_text(185.0) == "3 min 05 s");
  CHECK(duration_text(7623.0) == "2 h 07 min");
}

TEST_CASE("the line has bar, count, speed, time left and note") {
  const Progress::Options options{.total = 200, .unit = "batches"};

  CHECK(progress_line("train", "loss 1.2", options, 50, 10.0, false) ==
        "train  [#####...............]  25%  50/200 batches  5.0/s  30 s left  loss 1.2");
  CHECK(progress_line("train", "", options, 200, 40.0, true) ==
        "train  [####################] 100%  200/200 batches  5.0/s  40 s");
}

TEST_CASE("100 % is shown at the end only, and nothing done shows no speed") {
  const Progress::Options options{.total = 1000};

  CHECK(progress_line("x", "", options, 999, 1.0, false).find(" 99%") != std::string::npos);
  CHECK(progress_line("x", "", options, 0, 0.0, false) == "x  [....................]   0%  0/1000");
}

TEST_CASE("what an earlier run did counts for the bar, not for the speed") {
  const Progress::Options options{.total = 100, .already_done = 50};

  CHECK(progress_line("x", "", options, 60, 10.0, false) == "x  [############........]  60%  60/100  1.0/s  40 s left");
}

TEST_CASE("without a total there is no bar and no time left") {
  CHECK(progress_line("read", "", {.unit = "events"}, 5000, 2.0, false) == "read  5000 events  2500/s");
}

TEST_CASE("a quiet display prints nothing") {
  const std::string text = printed({.total = 10, .style = ProgressStyle::quiet}, [](Progress& progress) {
    for (int i = 0; i < 10; ++i) progress.advance();
  });

  CHECK(text.empty());
}

TEST_CASE("a plain display of a short loop is one line without control characters, with the last note") {
  const std::string text = printed({.total = 10, .style = ProgressStyle::plain}, [](Progress& progress) {
    for (int i = 0; i < 10; ++i) {
      progress.advance();
      progress.set_note("i " + std::to_string(i));
    }
    progress.finish();
    progress.finish();
  });

  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.find("10/10") != std::string::npos);
  CHECK(text.ends_with("  i 9\n"));
  CHECK(text.find_first_of("\r\x1b") == std::string::npos);
}

TEST_CASE("a terminal line is drawn over itself, seldom, and ended once") {
  constexpr int kSteps = 100000;
  const std::string text = printed({.total = kSteps, .style = ProgressStyle::terminal}, [](Progress& progress) {
    for (int i = 0; i < kSteps; ++i) progress.advance();
  });

  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.ends_with("\n"));
  // One drawing at the start, one at the end, ten a second between: this loop takes milliseconds.
  const auto drawings = std::count(text.begin(), text.end(), '\r');
  CHECK(drawings >= 2);
  CHECK(drawings < 100);
}

TEST_CASE("what is not a terminal gets plain lines by itself") {
  const std::string text = printed({.total = 1}, [](Progress& progress) { progress.advance(); });

  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find("1/1") != std::string::npos);
}

TEST_CASE("the style set for all holds for a display that asks for none") {
  set_progress_style(ProgressStyle::quiet);
  const std::string text = printed({.total = 1}, [](Progress& progress) { progress.advance(); });
  set_progress_style(ProgressStyle::automatic);

  CHECK(text.empty());
}

TEST_CASE("steps of several threads are all counted") {
  constexpr int kThreads = 4;
  constexpr int kSteps = 1000;
  const std::string text =
      printed({.total = kThreads * kSteps, .style = ProgressStyle::terminal}, [](Progress& progress) {
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; ++i)
          threads.emplace_back([&] {
            for (int step = 0; step < kSteps; ++step) {
              progress.advance();
              progress.set_note("step");
            }
          });
        for (std::thread& thread : threads) thread.join();
      });

  CHECK(text.find("100%  4000/4000") != std::string::npos);
}
