// Every mixer of the table, in every form, against PyTorch: tests/data/mixers_pytorch has the numbers and the script.
#include "tests/network/golden_file.hpp"
#include "tests/synapses/mixer_run.hpp"

namespace synfire {

namespace {

using synapses::MixerConfig;

// PyTorch's numbers are stored in float: 2^-24. Ours in float add the rounding of sums of up to 100 terms.
constexpr double kDoubleTolerance = 1e-6, kFloatTolerance = 2e-5;

MixerConfig config_of(const std::vector<double>& numbers) {
  const auto at = [&](std::size_t k) { return static_cast<int>(numbers[k]); };
  MixerConfig config;
  config.kind = static_cast<synapses::MixerKind>(at(0));
  config.heads = at(1);
  config.feature = static_cast<synapses::MixerFeature>(at(2));
  config.norm = static_cast<synapses::MixerNorm>(at(3));
  config.eps = numbers[4];
  config.rope = static_cast<synapses::MixerRope>(at(5));
  config.decay = static_cast<synapses::MixerDecay>(at(6));
  config.window_size = {at(7), at(8), at(9)};
  config.window_shift = {at(10), at(11), at(12)};
  config.causal = at(13) != 0;
  config.scale = numbers[14];
  return config;
}

template <class Scalar>
void check_case(const Hdf5File& file, const std::string& group, double tolerance) {
  const MixerConfig config = config_of(file.read<double>(group + "/config"));
  const auto read = [&](const char* name) { return test::read_golden<Scalar>(file, group + "/" + name); };
  const bool has_gate = file.has(group + "/gate");
  const test::MixerTensors<Scalar> x{read("q"), read("k"), read("v"), has_gate ? read("gate") : Tensor<Scalar>()};
  const auto expected = [&](const char* name) { return test::read_golden<double>(file, group + "/" + name); };
  const synapses::Mixer<Scalar>& mixer = synapses::mixer_of<Scalar>(config.kind);
  CAPTURE(group);
  CAPTURE(std::string(mixer.name));
  for (const synapses::MixerForm form : mixer.forms) {
    CAPTURE(static_cast<int>(form));
    const test::MixerTensors<Scalar> grads = test::run_mixer_backward(x, config, form, read("grad_o"));
    CHECK(test::relative_error(test::run_mixer(x, config, form).o, expected("o")) <= tolerance);
    CHECK(test::relative_error(grads.q, expected("grad_q")) <= tolerance);
    CHECK(test::relative_error(grads.k, expected("grad_k")) <= tolerance);
    CHECK(test::relative_error(grads.v, expected("grad_v")) <= tolerance);
    if (has_gate) CHECK(test::relative_error(grads.gate, expected("grad_gate")) <= tolerance);
  }
}

}  // namespace

TEST_CASE("every mixer in every form gives the outputs and gradients of PyTorch") {
  const Hdf5File file = test::open_golden("mixers_pytorch/mixers.h5");
  const auto count = static_cast<int>(file.read<double>("count")[0]);
  REQUIRE(count == 28);
  std::vector<int> cases(synapses::mixers<float>().size());
  for (int i = 0; i < count; ++i) {
    const std::string group = "case" + std::to_string(i);
    ++cases[static_cast<std::size_t>(config_of(file.read<double>(group + "/config")).kind)];
    check_case<double>(file, group, kDoubleTolerance);
    check_case<float>(file, group, kFloatTolerance);
  }
  for (const int number : cases) CHECK(number >= 2);
}

}  // namespace synfire
