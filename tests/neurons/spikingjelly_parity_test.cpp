// LIF layers against PyTorch + SpikingJelly: tests/data/lif_spikingjelly has the numbers and the script.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "core/hdf5_file.hpp"
#include "neurons/lif.hpp"
#include "tests/neurons/lif_run.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;

namespace {

struct NamedConfig {
  std::string name;
  neurons::LifConfig config;
};

std::vector<NamedConfig> all_cases() {
  using neurons::SurrogateKind;
  struct NamedSurrogate {
    const char* name;
    neurons::Surrogate surrogate;
  };
  struct NamedReset {
    const char* name;
    std::optional<double> v_reset;
  };
  const std::array<NamedSurrogate, 4> surrogates{{{"atan", {SurrogateKind::atan, 2.0}},
                                                  {"sigmoid", {SurrogateKind::sigmoid, 4.0}},
                                                  {"fast_sigmoid", {SurrogateKind::fast_sigmoid, 2.0}},
                                                  {"triangular", {SurrogateKind::triangular, 0.8}}}};
  const std::array<NamedReset, 3> resets{{{"_hard0.0", 0.0}, {"_hard0.2", 0.2}, {"_soft", {}}}};
  std::vector<NamedConfig> cases;
  for (const auto& [surrogate_name, surrogate] : surrogates) {
    for (const auto& [reset_name, v_reset] : resets) {
      for (const bool detach : {false, true}) {
        for (const bool decay_input : {false, true}) {
          cases.push_back({std::string(surrogate_name) + reset_name + (detach ? "_detached" : "_attached") +
                               (decay_input ? "_decayed" : "_whole"),
                           {.tau_mem_ms = 2.5,
                            .v_th = 0.9,
                            .v_reset = v_reset,
                            .decay_input = decay_input,
                            .detach_reset = detach,
                            .surrogate = surrogate}});
        }
      }
    }
  }
  return cases;
}

template <class Scalar>
std::vector<Scalar> read(const Hdf5File& file, const std::string& path) {
  const std::vector<double> values = file.read<double>(path);
  std::vector<Scalar> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), [](double v) { return static_cast<Scalar>(v); });
  return result;
}

/// Largest difference relative to the largest value.
template <class Scalar>
double relative_error(const std::vector<Scalar>& ours, const std::vector<double>& theirs) {
  REQUIRE(ours.size() == theirs.size());
  double largest = 0.0, difference = 0.0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    largest = std::max(largest, std::abs(theirs[i]));
    difference = std::max(difference, std::abs(static_cast<double>(ours[i]) - theirs[i]));
  }
  CHECK(largest > 0.1);
  return difference / largest;
}

template <class Scalar>
void compare_all(double tolerance) {
  const Hdf5File file =
      Hdf5File::open(std::filesystem::path(SYNFIRE_SOURCE_DIR) / "tests/data/lif_spikingjelly/lif.h5");
  test::LifInput<Scalar> input;
  input.shape = file.shape("y");
  input.y = read<Scalar>(file, "y");
  input.grad_spikes = read<Scalar>(file, "grad_spikes");
  input.scale = read<Scalar>(file, "scale");
  input.shift = read<Scalar>(file, "shift");
  for (const auto& [name, config] : all_cases()) {
    CAPTURE(name);

    auto output = test::run_lif<Scalar, std::uint8_t>(input, neurons::lif_params(config, 1.0));

    const std::vector<std::uint8_t> spikes = file.read<std::uint8_t>(name + "/spikes");
    CHECK(std::equal(spikes.begin(), spikes.end(), output.spikes.begin(), output.spikes.end()));
    for (std::size_t i = 0; i < output.grad_x.size(); ++i) output.grad_x[i] *= input.scale[i % input.scale.size()];
    CHECK(relative_error(output.grad_x, file.read<double>(name + "/grad_y")) <= tolerance);
    CHECK(relative_error(output.grad_scale, file.read<double>(name + "/grad_scale")) <= tolerance);
    CHECK(relative_error(output.grad_shift, file.read<double>(name + "/grad_shift")) <= tolerance);
  }
}

}  // namespace

TEST_CASE("a lif layer gives the spikes and gradients of SpikingJelly under every setting") {
  // No membrane is nearer than 1e-3 to its threshold (README.md there): all spikes are the same. Twelve ticks with some
  // twenty roundings each, which the recursion does not enlarge.
  constexpr double kRoundings = 12 * 20;
  compare_all<double>(kRoundings * test::unit_roundoff<double>);
  compare_all<float>(std::min(1e-5, kRoundings * test::unit_roundoff<float>));
}
