#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace synfire {

/// A table of numbers that grows during a run, kept twice: `STEM.csv` for spreadsheets and `STEM.jsonl` (one JSON
/// object a line) for programs. A row is on its way to the disk when `write` returns, so a run that is killed loses
/// none. The first column counts (steps, epochs); rows come in its order. A value that is not there is a NaN. In JSON,
/// what is not finite is `null`. Numbers have as many digits as it takes to read the same bits back.
class MetricLog {
 public:
  /// Starts both files anew, or goes on after them: rows whose count is `resume_at` or more are dropped, as is a last
  /// row that was cut short, and `resume_at` is where the run writes next. 0 starts anew.
  /// \throws FileError, or FormatError if a file that is resumed has other columns
  MetricLog(const std::filesystem::path& stem, std::string count_name, std::vector<std::string> value_names,
            std::int64_t resume_at = 0);
  ~MetricLog();
  MetricLog(const MetricLog&) = delete;
  MetricLog& operator=(const MetricLog&) = delete;

  /// One value per name. \throws FileError, or ShapeError for another number of values
  void write(std::int64_t count, std::span<const double> values);

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

/// What a MetricLog wrote.
struct MetricTable {
  std::string count_name;
  std::vector<std::string> value_names;
  std::vector<std::int64_t> count;
  std::vector<std::vector<double>> values;  ///< [column][row]
};

/// Reads `STEM.csv`. A last row that was cut short is left out. \throws FileError, FormatError
MetricTable read_metrics(const std::filesystem::path& stem);

}  // namespace synfire
