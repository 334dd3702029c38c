#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/read_options.hpp"
#include "apps/text_table.hpp"
#include "datasets/event_writer.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

datasets::Aedat4Compression compression(const std::string& name) {
  if (name == "none") return datasets::Aedat4Compression::none;
  if (name == "lz4") return datasets::Aedat4Compression::lz4;
  if (name == "zstd") return datasets::Aedat4Compression::zstd;
  throw UsageError(fmt::format("--compression: expected none, lz4 or zstd, got \"{}\"", name));
}

}  // namespace

int data_convert_command(const Arguments& args) {
  CommandLine line("synfire data convert", "IN OUT",
                   "Writes the events of a recording in another format. What a format cannot hold (a time beyond its "
                   "clock, a pixel beyond its\naddresses) is an error; nothing is lost silently.");
  line.options().add_options()("to", po::value<std::string>()->required(),
                               "format of the output: aedat2, aedat3, aedat4 or bin")(
      "compression", po::value<std::string>()->default_value("lz4"), "of AEDAT4: none, lz4 or zstd");
  add_read_options(line);
  line.positional("in", 1);
  line.positional("out", 1);
  if (!line.parse(args)) return kExitOk;

  const std::filesystem::path out = line.list("out").front();
  const datasets::WriteOptions options{.compression = compression(line.get<std::string>("compression"))};
  const datasets::EventFormat format = datasets::format_from_name(line.get<std::string>("to"));
  const datasets::Recording recording = datasets::read_recording(line.list("in").front(), read_options(line));
  for (const std::string& warning : recording.warnings) std::cerr << "synfire: warning: " << warning << '\n';
  datasets::write_recording(out, recording.events, format, options);
  std::cout << fmt::format("{}: {} events, {}\n", out.string(),
                           grouped(static_cast<long long>(recording.events.size())),
                           byte_text(static_cast<double>(std::filesystem::file_size(out))));
  return kExitOk;
}

}  // namespace synfire::apps
