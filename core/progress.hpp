#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace synfire {

/// `automatic` is `terminal` where the output is one, else `plain`.
enum class ProgressStyle : std::uint8_t { automatic, terminal, plain, quiet };

/// The style of every display made from now on, unless it asks for its own.
void set_progress_style(ProgressStyle style);

/// Shows on stderr how far a long loop has come, how fast it is and how long it still takes:
///
///     train epoch 3  [#########...........]  45%  123/273 batches  12.4/s  12 s left  loss 1.23
///
/// On a terminal one line is drawn over and over; elsewhere (a log file, CI) a line comes every few seconds; a quiet
/// one shows nothing. May be called from several threads; `advance` is cheap, drawing is throttled.
class Progress {
 public:
  struct Options {
    std::int64_t total = 0;         ///< 0: not known, so no bar and no time left
    std::int64_t already_done = 0;  ///< by an earlier run that is resumed; does not count for the speed
    std::string unit{};             ///< "batches"
    ProgressStyle style = ProgressStyle::automatic;
    std::FILE* output = stderr;
  };

  Progress(std::string label, Options options);
  /// Finishes.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::int64_t count = 1);
  /// A few words at the end of the line, such as the loss; shown with the next drawing.
  void set_note(std::string note);
  /// Draws the final state with the whole time and ends the line. Later calls change nothing.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "0.4 s", "12 s", "3 min 05 s", "2 h 07 min"
std::string duration_text(double seconds);

/// The line that is shown above; `seconds` have passed since `already_done`. Without a bar if `total` is 0.
std::string progress_line(const std::string& label, const std::string& note, const Progress::Options& options,
                          std::int64_t done, double seconds, bool finished);

}  // namespace synfire
