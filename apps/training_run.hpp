#pragma once

#include <filesystem>

#include "apps/experiment.hpp"
#include "apps/run_folder.hpp"

namespace synfire::apps {

/// Trains what an experiment describes and evaluates it on the test split; all of it stays in `folder`, which is new.
/// \return  kExitOk, or kExitInterrupted after Ctrl-C
int start_training_run(Experiment experiment, const std::filesystem::path& folder);

/// Continues the run in a folder with its own configuration, to the same bits as if it had not been interrupted.
int resume_training_run(const RunFolder& run);

}  // namespace synfire::apps
