#include "apps/checkpoint_choice.hpp"

#include <fmt/format.h>

#include "apps/command_line.hpp"

namespace synfire::apps {

CheckpointChoice choose_checkpoint(const RunFolder& run, learning::Selection selection, const std::string& asked) {
  using learning::Selection;
  if (!asked.empty() && asked != "best" && asked != "last") {
    throw UsageError(fmt::format("--checkpoint: expected best or last, got \"{}\"", asked));
  }
  const bool best = asked.empty() ? selection != Selection::last && exists(run.best()) : asked == "best";
  if (!best) return {run.last(), learning::selection_text(Selection::last)};
  return {run.best(),
          learning::selection_text(selection == Selection::best_test ? selection : Selection::best_validation)};
}

}  // namespace synfire::apps
