// The node `attention`: its keys, its place in a network and its counts.
#include <algorithm>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "network/clocked_runtime.hpp"
#include "network/describe.hpp"
#include "network/event_program.hpp"
#include "network/op_count.hpp"
#include "tests/network/gradient_case.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

/// A network of one attention over its own input.
std::string attention(const std::string& keys, const std::string& inputs = R"(["input", "input", "input"])") {
  return "[network]\n[[network.layers]]\ntype = \"attention\"\nname = \"mix\"\ninputs = " + inputs + "\n" + keys +
         "\n[[network.layers]]\ntype = \"flatten\"\n";
}

/// What is wrong with a network on this input, or "".
std::string problem(const std::string& toml, const Shape& input = Shape{4, 4, 8}) {
  try {
    build<float>(test::spec_of(toml), input, 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the keys of an attention and their defaults") {
  const auto mixer = [](const std::string& keys) {
    return std::get<AttentionSpec>(test::spec_of(attention(keys)).nodes[0].operation).mixer;
  };
  const synapses::MixerConfig plain = mixer("");
  CHECK(plain.heads == 8);
  CHECK(plain.feature == synapses::MixerFeature::shift);
  CHECK(plain.window_size == std::array{1, 0, 0});
  const synapses::MixerConfig other = mixer(
      "heads = 2\nfeature = \"spike\"\nnorm = \"fixed\"\neps = 0.5\ndecay = \"head\"\nwindow_size = [0, 4, 2]\n"
      "window_shift = [0, 2, 1]\ncausal = true");
  CHECK(other.heads == 2);
  CHECK(other.feature == synapses::MixerFeature::spike);
  CHECK(other.norm == synapses::MixerNorm::fixed);
  CHECK(other.eps == 0.5);
  CHECK(other.decay == synapses::MixerDecay::head);
  CHECK(other.window_size == std::array{0, 4, 2});
  CHECK(other.window_shift == std::array{0, 2, 1});
  CHECK(other.causal);
  CHECK(mixer("rope = \"head\"").rope == synapses::MixerRope::head);
}

TEST_CASE("an attention that contradicts itself or does not fit is told, with the layer or the key") {
  CHECK(problem(attention("")) == "");
  CHECK(says(problem(attention("heads = 3")), "layer \"mix\": 8 channels do not divide into 3 heads"));
  CHECK(says(problem(attention("feature = \"spike\"\nrope = \"model\"")), "needs the feature \"shift\""));
  CHECK(says(problem(attention("decay = \"head\"")), "needs causal = true"));
  CHECK(says(problem(attention("decay = \"head\"\ncausal = true")), "without limit in time (0), got 1"));
  CHECK(says(problem(attention("window_size = [1, 2]")), "needs three numbers [t, y, x], got 2"));
  CHECK(says(problem(attention("window_size = [1, -2, 2]")), "needs whole numbers from 0"));
  CHECK(says(problem(attention("window_size = [1, 2, 1.5]")), "got 1.5"));
  CHECK(says(problem(attention("window_size = [1, 2, 2]\nwindow_shift = [0, 2, 0]")), "size (2), got 2"));
  CHECK(says(problem(attention("rope = \"head\"")), "a head has 1"));
  CHECK(says(problem(attention("heads = 4\nrope = \"head\"")), "multiples of 4, got 2"));
  CHECK(says(problem(attention("", R"(["input"])")), "attention takes three or four inputs, got 1"));
  const std::string other_shape =
      "[network]\n[[network.layers]]\ntype = \"max_pool\"\nname = \"pool\"\n[[network.layers]]\ntype = \"attention\"\n"
      "inputs = [\"input\", \"pool\", \"pool\"]\n[[network.layers]]\ntype = \"flatten\"\n";
  CHECK(says(problem(other_shape), "attention needs q, k and v of one shape, got [4, 4, 8], [2, 2, 8] and [2, 2, 8]"));
}

TEST_CASE("the event engine refuses a network with attention by name") {
  const Network<float> net = build<float>(test::spec_of(attention("")), Shape{4, 4, 8}, 1);
  CHECK_THROWS_WITH_AS(make_event_program(net), doctest::Contains("layer \"mix\""), ShapeError);
}

TEST_CASE("work and counts of attention are those of d, whatever the window") {
  // 4 x 4 tokens of 8 channels in 2 heads of 4.
  const auto net = [](const std::string& keys) {
    return build<float>(test::spec_of(attention("heads = 2\n" + keys)), Shape{4, 4, 8}, 1);
  };
  for (const std::string keys : {"", "window_size = [1, 2, 2]"}) {
    const Network<float> network = net(keys);
    CHECK(describe(network.spec, network.input)[0].macs_per_tick == 128.0 * (2.0 * 4.0 + 2.0));
  }

  // One token: q fires in channel 0, k in channels 0 and 1, v has 3 spikes in that head; the other head is silent in q.
  const Shape shape{1, 1, 1, 1, 8};
  const std::array<std::uint8_t, 8> q{1, 0, 0, 0, 0, 0, 0, 0}, k{1, 1, 0, 0, 0, 0, 0, 1}, v{1, 1, 1, 0, 1, 1, 0, 0};
  const auto signal = [&](const std::array<std::uint8_t, 8>& x) {
    return Signal<float>{shape, nullptr, x.data(), Device::cpu};
  };
  synapses::MixerConfig config;
  config.heads = 2;
  config.feature = synapses::MixerFeature::spike;
  LayerLedger spike, shift;
  count_attention<float>({signal(q), signal(k), signal(v)}, config, spike);
  config.feature = synapses::MixerFeature::shift;
  count_attention<float>({signal(q), signal(k), signal(v)}, config, shift);

  CHECK(spike.attn_dense == 2 * 2 * 4 * 4);
  CHECK(spike.attn_acs == (2 * 3 + 1 * 2) + 1 * 4);
  CHECK(spike.attn_macs == 0);
  CHECK(spike.div == 2);
  // Every channel counts once more, as the 1 of 1 + s: one row a token and head.
  CHECK(shift.attn_acs == spike.attn_acs + (3 + 2) + 2 * 4);
  CHECK(spike.events_in == 1 + 3 + 5);
  CHECK(spike.eff_unit == 0);
}

TEST_CASE("a network with attention trains to the same bits on any number of threads, and clip by clip") {
  const NetworkSpec spec = test::spec_of(test::kAttention);
  const auto x = test::random_tensor<float>(test::over_time(test::kAttentionInput, 4, 2), 3, 0.0, 2.0);
  const auto gradients = [&](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    Network<float> net = build<float>(spec, test::kAttentionInput, 5);
    ClockedRuntime<float> runtime(net);
    const View<const float> out = runtime.forward(x.view(), Mode::train, {1, 2});
    Tensor<float> grad(out.shape);
    std::fill(grad.data(), grad.data() + grad.size(), 1.0F);
    runtime.backward(grad.view());
    std::vector<float> all;
    for (const View<float>& g : runtime.gradients()) all.insert(all.end(), g.span().begin(), g.span().end());
    set_num_threads(before);
    return all;
  };
  const std::vector<float> one = gradients(1);
  CHECK(one == gradients(2));
  CHECK(std::any_of(one.begin(), one.end(), [](float g) { return g != 0.0F; }));

  Network<float> net = build<float>(spec, test::kAttentionInput, 5);
  ClockedRuntime<float> runtime(net);
  const View<const float> both = runtime.forward(x.view(), Mode::eval, {});
  const std::vector<float> logits(both.data, both.data + both.size());
  const std::ptrdiff_t frame = test::kAttentionInput.size();
  Tensor<float> second(test::over_time(test::kAttentionInput, 4, 1));
  for (std::ptrdiff_t t = 0; t < 4; ++t) std::copy_n(x.data() + (2 * t + 1) * frame, frame, second.data() + t * frame);
  const View<const float> alone = runtime.forward(second.view(), Mode::eval, {});
  for (std::ptrdiff_t t = 0; t < 4; ++t) {
    for (std::ptrdiff_t c = 0; c < 3; ++c) {
      CHECK(alone[t * 3 + c] == logits[static_cast<std::size_t>((2 * t + 1) * 3 + c)]);
    }
  }
}

TEST_CASE("gradients through every kind of mixer and its gate equal finite differences") {
  struct Kind {
    const char *keys, *gate;
  };
  for (const Kind& kind :
       {Kind{"kind = \"linear\"\nheads = 2", ""}, Kind{"kind = \"linear\"\nheads = 2\ncausal = true", ""},
        Kind{"kind = \"lightning\"\nheads = 2", ""}, Kind{"kind = \"gla\"\nheads = 2", "4"},
        Kind{"kind = \"delta\"\nheads = 2\nscale = 1.0", "2"}, Kind{"kind = \"ssa\"\nheads = 2", ""},
        Kind{"kind = \"window\"\nheads = 2\nwindow_size = [0, 0, 0]\ncausal = true", ""}}) {
    CAPTURE(std::string(kind.keys));
    const std::string gate = kind.gate;
    const auto conv = [](const std::string& name, const std::string& channels) {
      return "[[network.layers]]\ntype = \"conv2d\"\nname = \"" + name + "\"\nkernel = 1\nchannels = " + channels +
             "\ninputs = [\"input\"]\n";
    };
    const std::string toml = "[network]\n" + conv("q", "4") + conv("k", "4") + conv("v", "4") +
                             (gate.empty() ? "" : conv("gate", gate)) +
                             "[[network.layers]]\ntype = \"attention\"\nname = \"mix\"\ninputs = [\"q\", \"k\", \"v\"" +
                             (gate.empty() ? "" : ", \"gate\"") + "]\n" + kind.keys +
                             "\n[[network.layers]]\ntype = \"flatten\"\n[[network.layers]]\ntype = \"linear\"\n"
                             "out_features = 2\n";
    test::GradientCase(toml, Shape{2, 2, 2}).check_all();
  }
}

TEST_CASE("a mixer's gate must be there and fit") {
  CHECK(says(problem(attention("kind = \"gla\"")), "gla takes q, k and v and a gate, got 3 inputs"));
  const std::string four = R"(["input", "input", "input", "input"])";
  CHECK(problem(attention("kind = \"gla\"", four)) == "");
  CHECK(says(problem(attention("kind = \"delta\"\nheads = 2", four)),
             "the gate of delta must have shape [4, 4, 2], got [4, 4, 8]"));
  CHECK(says(problem(attention("kind = \"linear\"", four)), "linear takes q, k and v, got 4 inputs"));
  CHECK(says(problem(attention("kind = \"lightening\"")), "lightning"));
  CHECK(says(problem(attention("kind = \"window\"\nrope = \"model\"")), "rope"));
}
