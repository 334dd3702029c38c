#include "apps/command_line.hpp"

#include <iostream>
#include <utility>

#include <fmt/format.h>

namespace po = boost::program_options;

namespace synfire::apps {

CommandLine::CommandLine(std::string command, std::string operands, std::string about)
    : command_(std::move(command)), operands_(std::move(operands)), about_(std::move(about)) {
  visible_.add_options()("help,h", "print this help");
}

void CommandLine::positional(const std::string& name, int count) {
  hidden_.add_options()(name.c_str(), po::value<std::vector<std::string>>());
  positions_.add(name.c_str(), count);
  required_.push_back(name);
}

void CommandLine::optional_positional(const std::string& name) {
  hidden_.add_options()(name.c_str(), po::value<std::vector<std::string>>());
  positions_.add(name.c_str(), 1);
}

bool CommandLine::parse(const std::vector<std::string>& args) {
  po::options_description all;
  all.add(visible_).add(hidden_);
  const auto see_help = [&](const std::string& problem) {
    return UsageError(fmt::format("{}: {} (see {} --help)", command_, problem, command_));
  };
  try {
    po::store(po::command_line_parser(args).options(all).positional(positions_).run(), values_);
    if (has("help")) {
      std::cout << "Usage: " << command_ << (operands_.empty() ? "" : " ") << operands_ << " [options]\n\n"
                << about_ << "\n\n"
                << visible_;
      return false;
    }
    po::notify(values_);
  } catch (const po::error& problem) {
    throw see_help(problem.what());
  }
  for (const std::string& name : required_) {
    if (!has(name)) throw see_help(fmt::format("expected {}, but an argument is missing", operands_));
  }
  return true;
}

std::vector<std::string> CommandLine::list(const std::string& name) const {
  return has(name) ? get<std::vector<std::string>>(name) : std::vector<std::string>{};
}

}  // namespace synfire::apps
