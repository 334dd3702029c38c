#include "core/energy_table.hpp"

#include <filesystem>

#include <doctest/doctest.h>

#include "core/error.hpp"

using namespace synfire;

namespace {

const std::string kGood = R"(name = "made"
[ops]
numbers = "fp32"
fp32_add = 1.0
fp32_mul = 2.0
int32_add = 0.5
int32_mul = 3.0
[memory]
access_bits = 64
points = [[100, 10.0], [200, 20.0]]
below_first = "constant"
[source]
text = "made up"
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("the tables that ship price a MAC at 4.6 and 3.2 pJ") {
  CHECK(open_energy_table("horowitz-45nm-fp32").mac_pj() == doctest::Approx(4.6).epsilon(1e-15));
  CHECK(open_energy_table("papers").mac_pj() == doctest::Approx(4.6).epsilon(1e-15));
  CHECK(open_energy_table("lemaire").mac_pj() == doctest::Approx(3.2).epsilon(1e-15));
  for (const std::string& name : shipped_energy_tables()) {
    const EnergyTable table = open_energy_table(name);
    CHECK(table.name == name);
    CHECK_FALSE(table.source.empty());
    const auto file = std::filesystem::path(SYNFIRE_SOURCE_DIR) / "configs/energy" / (name + ".toml");
    CHECK(open_energy_table(file.string()).sha256 == table.sha256);
  }
}

// 64 B .078, 4 KB 5, 256 KB 38.06, 10 MB 100 pJ: SpikingJelly 2.0.0.
TEST_CASE("Lemaire's memories cost in proportion to their size, up to 1 MB") {
  const EnergyTable table = open_energy_table("lemaire");

  CHECK(table.access_pj(64.0) == doctest::Approx(0.078125).epsilon(1e-12));
  CHECK(table.access_pj(4096.0) == 5.0);
  CHECK(table.access_pj(262144.0) == doctest::Approx(38.06).epsilon(1e-3));
  CHECK(table.access_pj(1e7) == 100.0);
}

TEST_CASE("a small memory costs no less than the smallest that is listed, a large one is DRAM") {
  const EnergyTable table = open_energy_table("horowitz-45nm-fp32");

  CHECK(table.access_pj(1.0) == 10.0);
  CHECK(table.access_pj(32768.0) == 20.0);
  CHECK(table.access_pj(1048576.0) == 100.0);
  CHECK(table.access_pj(1048577.0) == 1950.0);
  CHECK(table.traffic_pj(16.0, 1.0) == 20.0);
}

TEST_CASE("a table of energies that cannot be is refused with its line and key") {
  CHECK(parse_energy_table(kGood, "t.toml").access_pj(150.0) == 15.0);
  const std::pair<const char*, const char*> changes[] = {
      {"[[100, 10.0], [200, 20.0]]", "[[200, 10.0], [100, 20.0]]"},
      {"[[100, 10.0], [200, 20.0]]", "[[100], [200, 20.0]]"},
      {"[[100, 10.0], [200, 20.0]]", "[]"},
      {"[[100, 10.0], [200, 20.0]]", "[[100, nan]]"},
      {"fp32_add = 1.0", "fp32_add = -1.0"},
      {"fp32_add = 1.0", "fp64_add = 1.0"},
      {"\"fp32\"", "\"fp33\""},
      {"access_bits = 64", "access_bits = 0"},
  };
  for (const auto& [from, to] : changes) {
    CAPTURE(to);
    CHECK_THROWS_AS(parse_energy_table(replaced(kGood, from, to), "t.toml"), ConfigError);
  }
  CHECK_THROWS_AS(open_energy_table("no_such_table"), FileError);
}
