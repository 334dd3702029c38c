#include "core/progress.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace synfire {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};

std::atomic<ProgressStyle> default_style = ProgressStyle::automatic;

ProgressStyle chosen_style(const Progress::Options& options) {
  const ProgressStyle style = options.style == ProgressStyle::automatic ? default_style.load() : options.style;
  if (style != ProgressStyle::automatic) return style;
  return ::isatty(::fileno(options.output)) != 0 ? ProgressStyle::terminal : ProgressStyle::plain;
}

std::size_t terminal_width(std::FILE* output) {
  winsize size{};
  if (::ioctl(::fileno(output), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string bar(double fraction) {
  constexpr int kWidth = 20;
  const auto filled = static_cast<std::size_t>(std::lround(kWidth * fraction));
  return "[" + std::string(filled, '#') + std::string(kWidth - filled, '.') + "]";
}

std::string rate_text(double per_second) {
  if (per_second >= 100.0) return fmt::format("{:.0f}/s", per_second);
  return per_second >= 1.0 ? fmt::format("{:.1f}/s", per_second) : fmt::format("{:.2f}/s", per_second);
}

}  // namespace

void set_progress_style(ProgressStyle style) { default_style = style; }

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string progress_line(const std::string& label, const std::string& note, const Progress::Options& options,
                          std::int64_t done, double seconds, bool finished) {
  std::string line = label;
  if (options.total > 0) {
    const double fraction = std::clamp(static_cast<double>(done) / static_cast<double>(options.total), 0.0, 1.0);
    // Rounded down: 100 % is for the end only.
    line += fmt::format("  {} {:3.0f}%  {}/{}", bar(fraction), std::floor(100.0 * fraction), done, options.total);
  } else {
    line += fmt::format("  {}", done);
  }
  if (!options.unit.empty()) line += " " + options.unit;
  const std::int64_t new_ones = done - options.already_done;
  if (new_ones > 0 && seconds > 0.0) {
    const double rate = static_cast<double>(new_ones) / seconds;
    line += "  " + rate_text(rate);
    if (!finished && options.total > done)
      line += fmt::format("  {} left", duration_text(static_cast<double>(options.total - done) / rate));
  }
  if (finished) line += fmt::format("  {}", duration_text(seconds));
  if (!note.empty()) line += "  " + note;
  return line;
}

struct Progress::State {
  const std::string label;
  const Options options;
  const ProgressStyle style;
  const Clock::time_point start = Clock::now();
  std::atomic<std::int64_t> done;
  std::atomic<Clock::rep> next_drawing;  ///< ticks of the clock; a thread that passes it draws

  std::mutex mutex;  ///< for what follows, and for the output
  std::string note;
  bool finished = false;

  State(std::string name, Options wanted)
      : label(std::move(name)),
        options(std::move(wanted)),
        style(chosen_style(options)),
        done(options.already_done),
        next_drawing((start + (style == ProgressStyle::plain ? Clock::duration(kPlainInterval) : Clock::duration(0)))
                         .time_since_epoch()
                         .count()) {}

  void draw(Clock::time_point now, bool last) const {
    const double seconds = std::chrono::duration<double>(now - start).count();
    std::string line = progress_line(label, note, options, done, seconds, last);
    if (style == ProgressStyle::terminal) {
      // A line that wraps could not be drawn over.
      line.resize(std::min(line.size(), terminal_width(options.output) - 1));
      line = "\r\x1b[K" + line + (last ? "\n" : "");
    } else {
      line += '\n';
    }
    std::fputs(line.c_str(), options.output);
    std::fflush(options.output);
  }
};

Progress::Progress(std::string label, Options options)
    : state_(std::make_unique<State>(std::move(label), std::move(options))) {}

Progress::~Progress() { finish(); }

void Progress::advance(std::int64_t count) {
  State& state = *state_;
  state.done += count;
  if (state.style == ProgressStyle::quiet) return;
  const Clock::time_point now = Clock::now();
  Clock::rep due = state.next_drawing;
  if (now.time_since_epoch().count() < due) return;
  const Clock::duration interval =
      state.style == ProgressStyle::terminal ? Clock::duration(kTerminalInterval) : Clock::duration(kPlainInterval);
  // Of the threads that see the time come, the one that moves it on draws.
  if (!state.next_drawing.compare_exchange_strong(due, (now + interval).time_since_epoch().count())) return;
  const std::lock_guard lock(state.mutex);
  if (!state.finished) state.draw(now, false);
}

void Progress::set_note(std::string note) {
  const std::lock_guard lock(state_->mutex);
  state_->note = std::move(note);
}

void Progress::finish() {
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->finished, true) || state_->style == ProgressStyle::quiet) return;
  state_->draw(Clock::now(), true);
}

}  // namespace synfire
