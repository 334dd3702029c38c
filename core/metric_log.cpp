#include "core/metric_log.hpp"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"

namespace synfire {

namespace {

std::filesystem::path with_suffix(std::filesystem::path stem, const char* suffix) {
  stem += suffix;
  return stem;
}

/// A file that is only ever added to, a whole row in each call.
class RowFile {
 public:
  explicit RowFile(std::filesystem::path file)
      : file_(std::move(file)), handle_(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)) {
    if (handle_ < 0) fail();
  }
  ~RowFile() { ::close(handle_); }
  RowFile(const RowFile&) = delete;
  RowFile& operator=(const RowFile&) = delete;

  void append(std::string_view row) {
    while (!row.empty()) {
      const ssize_t written = ::write(handle_, row.data(), row.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      row.remove_prefix(static_cast<std::size_t>(written));
    }
  }

 private:
  [[noreturn]] void fail() const {
    throw FileError(file_.string(), fmt::format("cannot write: {}", std::strerror(errno)));
  }

  std::filesystem::path file_;
  int handle_;
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string csv_header(const MetricTable& table) {
  return fmt::format("{},{}\n", table.count_name, fmt::join(table.value_names, ","));
}

std::string csv_row(std::int64_t count, std::span<const double> values) {
  std::string row = fmt::format("{}", count);
  for (const double value : values) row += std::isnan(value) ? ",nan" : fmt::format(",{}", value);
  return row + "\n";
}

/// JSON has no words for what is not a finite number.
std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

std::string json_row(const MetricTable& table, std::int64_t count, std::span<const double> values) {
  std::string row = fmt::format("{{\"{}\": {}", table.count_name, count);
  for (std::size_t i = 0; i < values.size(); ++i)
    row += fmt::format(", \"{}\": {}", table.value_names[i], json_number(values[i]));
  return row + "}\n";
}

}  // namespace

struct MetricLog::Files {
  MetricTable names;
  RowFile csv;
  RowFile json;

  Files(MetricTable table, const std::filesystem::path& csv_file, const std::filesystem::path& json_file)
      : names(std::move(table)), csv(csv_file), json(json_file) {}
};

MetricLog::MetricLog(const std::filesystem::path& stem, std::string count_name, std::vector<std::string> value_names,
                     std::int64_t resume_at) {
  MetricTable names{std::move(count_name), std::move(value_names), {}, {}};
  const std::filesystem::path csv_file = with_suffix(stem, ".csv");
  const std::filesystem::path json_file = with_suffix(stem, ".jsonl");
  std::string csv = csv_header(names);
  std::string json;
  if (resume_at > 0 && std::filesystem::exists(csv_file)) {
    // Both files are made again from the one that is read, so they cannot drift apart.
    const MetricTable old = read_metrics(stem);
    if (csv_header(old) != csv)
      throw FormatError(csv_file.string(), fmt::format("must have the columns {}", csv.substr(0, csv.size() - 1)));
    std::vector<double> row(old.values.size());
    for (std::size_t i = 0; i < old.count.size(); ++i) {
      if (old.count[i] >= resume_at) continue;
      for (std::size_t column = 0; column < row.size(); ++column) row[column] = old.values[column][i];
      csv += csv_row(old.count[i], row);
      json += json_row(names, old.count[i], row);
    }
  }
  write_file_atomically(csv_file, csv);
  write_file_atomically(json_file, json);
  files_ = std::make_unique<Files>(std::move(names), csv_file, json_file);
}

MetricLog::~MetricLog() = default;

void MetricLog::write(std::int64_t count, std::span<const double> values) {
  if (values.size() != files_->names.value_names.size())
    throw ShapeError(
        fmt::format("[metric log] needs {} values, got {}", files_->names.value_names.size(), values.size()));
  files_->csv.append(csv_row(count, values));
  files_->json.append(json_row(files_->names, count, values));
}

MetricTable read_metrics(const std::filesystem::path& stem) {
  const std::filesystem::path file = with_suffix(stem, ".csv");
  const std::string content = read_whole_file(file);
  std::vector<std::string_view> lines = split(content, '\n');
  // What follows the last line end is a row that was cut short, or nothing.
  lines.pop_back();
  if (lines.empty()) throw FormatError(file.string(), "has no line with the names of the columns");
  MetricTable table;
  const std::vector<std::string_view> names = split(lines.front(), ',');
  table.count_name = names.front();
  table.value_names.assign(names.begin() + 1, names.end());
  table.values.resize(table.value_names.size());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> cells = split(lines[i], ',');
    if (cells.size() != names.size())
      throw FormatError(file.string(),
                        fmt::format("line {} must have {} columns, has {}", i + 1, names.size(), cells.size()));
    bool good = parse_number(cells[0], table.count.emplace_back());
    for (std::size_t column = 1; column < cells.size(); ++column)
      good = parse_number(cells[column], table.values[column - 1].emplace_back()) && good;
    if (!good) throw FormatError(file.string(), fmt::format("line {} has something that is not a number", i + 1));
  }
  return table;
}

}  // namespace synfire
