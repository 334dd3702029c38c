#pragma once

#include "apps/command_line.hpp"
#include "datasets/event_reader.hpp"

namespace synfire::apps {

/// Declares --format, --size and --lenient, the options of every command that reads a recording.
void add_read_options(CommandLine& line);

/// What these options say. \throws UsageError
datasets::ReadOptions read_options(const CommandLine& line);

}  // namespace synfire::apps
