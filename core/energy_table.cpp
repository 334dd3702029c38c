#include "core/energy_table.hpp"

#include <algorithm>
#include <array>

#include "embedded_energy_horowitz.hpp"
#include "embedded_energy_lemaire.hpp"
#include "embedded_energy_papers.hpp"
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/atomic_file.hpp"
#include "core/config.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"

namespace synfire {

namespace {

constexpr double kMostPj = 1e9;
constexpr std::size_t kMostBytes = 1 << 20;  // of a file

struct Shipped {
  const char* name;
  const std::string_view& text;
};
const std::array kShipped{Shipped{"horowitz-45nm-fp32", embedded::energy_horowitz},
                          Shipped{"lemaire", embedded::energy_lemaire}, Shipped{"papers", embedded::energy_papers}};

void read_memory(const ConfigTable& memory, EnergyTable& table) {
  table.access_bits = static_cast<int>(memory.integer("access_bits", {}, 1, 4096));
  table.linear_below_first = memory.choice("below_first", {"constant", "linear"}) == "linear";
  if (memory.has("dram_pj")) table.dram_pj = memory.number("dram_pj", {}, 0.0, kMostPj);
  for (const std::vector<double>& row : memory.rows_of_numbers("points")) {
    const bool ascends = table.points.empty() || (row.size() == 2 && row[0] > table.points.back().bytes);
    if (row.size() != 2 || !(row[0] > 0.0) || !(row[1] >= 0.0) || row[1] > kMostPj || !ascends) {
      memory.fail("points", fmt::format("must be rows of ascending bytes and pJ, got [{}]", fmt::join(row, ", ")));
    }
    table.points.push_back({row[0], row[1]});
  }
  if (table.points.empty()) memory.fail("points", "must have at least one row");
}

}  // namespace

double EnergyTable::access_pj(double array_bytes) const {
  if (points.empty()) return 0.0;
  const auto above = std::find_if(points.begin(), points.end(), [&](const Point& p) { return p.bytes >= array_bytes; });
  if (above == points.end()) return dram_pj.value_or(points.back().pj);
  if (above == points.begin() && !linear_below_first) return above->pj;
  const Point below = above == points.begin() ? Point{} : *(above - 1);
  return below.pj + (above->pj - below.pj) * (array_bytes - below.bytes) / (above->bytes - below.bytes);
}

EnergyTable parse_energy_table(std::string_view toml_text, const std::string& file_name) {
  const Config config = Config::parse(std::string(toml_text), file_name);
  const ConfigTable root = config.root(), ops = root.table("ops");
  EnergyTable table;
  table.sha256 = sha256(toml_text);
  table.name = root.text("name");
  table.counts = root.choice("counts", {"executed", "neurobench"}, "executed") == "executed"
                     ? EnergyTable::Counts::executed
                     : EnergyTable::Counts::neurobench;
  const bool fp32 = ops.choice("numbers", {"fp32", "int32"}) == "fp32";
  const auto price = [&](const char* key) { return ops.number(key, {}, 0.0, kMostPj); };
  const double fp32_add = price("fp32_add"), fp32_mul = price("fp32_mul");
  const double int32_add = price("int32_add"), int32_mul = price("int32_mul");
  table.add_pj = fp32 ? fp32_add : int32_add;
  table.mul_pj = fp32 ? fp32_mul : int32_mul;
  table.factor_bits = fp32 ? 24 : 32;
  table.address_pj = int32_add;
  if (root.has("memory")) read_memory(root.table("memory"), table);
  table.source = root.table("source").text("text");
  root.finish();
  return table;
}

EnergyTable open_energy_table(const std::string& file_or_name) {
  for (const Shipped& shipped : kShipped) {
    if (file_or_name == shipped.name) return parse_energy_table(shipped.text, shipped.name);
  }
  if (!std::filesystem::is_regular_file(file_or_name)) {
    throw FileError(file_or_name, fmt::format("expected a table of energies: a TOML file or one of {}",
                                              fmt::join(shipped_energy_tables(), ", ")));
  }
  if (std::filesystem::file_size(file_or_name) > kMostBytes) {
    throw FileError(file_or_name, fmt::format("expected a table of energies of at most {} bytes", kMostBytes));
  }
  return parse_energy_table(read_whole_file(file_or_name), file_or_name);
}

std::vector<std::string> shipped_energy_tables() {
  std::vector<std::string> names;
  for (const Shipped& shipped : kShipped) names.emplace_back(shipped.name);
  return names;
}

}  // namespace synfire
