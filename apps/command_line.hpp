#pragma once

#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "core/error.hpp"

namespace synfire::apps {

/// A command line that cannot be understood; the text names the option and where to find help.
struct UsageError : Error {
  using Error::Error;
};

/// The options of one command: declares them, prints its help, parses.
///
///     CommandLine line("synfire eval", "RUN", "Evaluates a trained run.");
///     line.options().add_options()("json", "print JSON");
///     line.positional("run", 1);
///     if (!line.parse(args)) return 0;      // help was asked for and printed
class CommandLine {
 public:
  /// \param command   "synfire train"
  /// \param operands  how the positional arguments are written: "CONFIG"
  /// \param about     what the command does, one or more sentences
  CommandLine(std::string command, std::string operands, std::string about);

  /// Where to declare options that --help lists.
  boost::program_options::options_description& options() { return visible_; }
  /// Declares the next positional argument(s); `count` -1 takes all that are left. At least one must be given.
  void positional(const std::string& name, int count);
  /// Declares a last positional argument that may be left out.
  void optional_positional(const std::string& name);

  /// False if --help was asked for (it is printed to stdout). \throws UsageError
  bool parse(const std::vector<std::string>& args);

  bool has(const std::string& name) const { return values_.count(name) > 0; }
  template <class T>
  const T& get(const std::string& name) const {
    return values_[name].as<T>();
  }
  std::vector<std::string> list(const std::string& name) const;

 private:
  std::string command_;
  std::string operands_;
  std::string about_;
  boost::program_options::options_description visible_{"Options"};
  boost::program_options::options_description hidden_;
  boost::program_options::positional_options_description positions_;
  std::vector<std::string> required_;
  boost::program_options::variables_map values_;
};

}  // namespace synfire::apps
