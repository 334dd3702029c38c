#pragma once

#include <filesystem>
#include <string>

#include "apps/run_folder.hpp"
#include "learning/learning_config.hpp"

namespace synfire::apps {

/// Which weights of a run are looked at.
struct CheckpointChoice {
  std::filesystem::path file;
  std::string protocol;  ///< how they were chosen: "last epoch", ...
};

/// \param asked  "best" or "last"; empty: the one whose weights a finished run has; of a run that was never validated,
///               the last
/// \throws UsageError for another word
CheckpointChoice choose_checkpoint(const RunFolder& run, learning::Selection selection, const std::string& asked);

}  // namespace synfire::apps
