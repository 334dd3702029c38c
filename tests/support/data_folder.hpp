#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

#include <doctest/doctest.h>

namespace synfire::test {

/// The folder of real recordings: SYNFIRE_DATA, or ../shared/data beside the checkout. Without it the test says that
/// it is skipped, in the output of every run.
inline std::optional<std::filesystem::path> data_folder() {
  const char* variable = std::getenv("SYNFIRE_DATA");
  const std::filesystem::path folder =
      variable != nullptr ? std::filesystem::path(variable)
                          : std::filesystem::path(SYNFIRE_SOURCE_DIR).parent_path() / "shared" / "data";
  if (std::filesystem::exists(folder / "index.csv")) return folder;
  MESSAGE("SKIPPED: no recordings in ", folder.string(), " (set SYNFIRE_DATA)");
  return std::nullopt;
}

}  // namespace synfire::test
