#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/experiment.hpp"
#include "apps/run_folder.hpp"

namespace synfire::apps {

/// What the run with one seed came to on the test split.
struct SeedResult {
  std::uint64_t seed = 0;
  std::int64_t correct = 0;
  std::int64_t total = 0;
  double accuracy_unrounded = 0.0;  ///< NaN where no delay lies between ticks

  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(total); }
};

/// A table with a row a seed; below it mean and standard deviation (n - 1) of the accuracies, and the 95 % interval of
/// all samples together.
std::string seeds_text(const std::vector<SeedResult>& results, const std::string& protocol);

/// The same for machines, with the seeds that are still to come.
std::string seeds_json(const std::vector<SeedResult>& results, const std::vector<std::uint64_t>& seeds,
                       const std::string& protocol);

/// Runs an experiment with its own seed and the `num_seeds - 1` after it, one after the other, in folders of `folder`.
/// \return  kExitOk, or kExitInterrupted after Ctrl-C
/// \throws Error  if there is no test split to count on
int start_seed_runs(Experiment experiment, int num_seeds, const std::filesystem::path& folder);

/// Continues where the runs stopped.
int resume_seed_runs(const RunFolder& runs);

}  // namespace synfire::apps
