// Nodes that work on tokens: what they are made of, and what they do in a network.
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/clocked_runtime.hpp"
#include "network/summary.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

std::string layer(const std::string& keys) { return "[[network.layers]]\n" + keys + "\n"; }
const std::string kHead =
    layer("type = \"mean_tokens\"") + layer("type = \"linear\"\nname = \"head\"\nout_features = 2");

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string problem(const std::string& layers, const Shape& input, std::ptrdiff_t ticks = 2) {
  try {
    Network<float> net = test::network_of(layers, input);
    const Tensor<float> x(test::over_time(input, ticks, 1));
    ClockedRuntime<float>(net).forward(x.view(), Mode::train, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("parameters of a network of tokens are those of its maps, norms, filters and tables") {
  const Summary summary = summarize(test::spec_of(test::kTokens), test::kTokensInput);

  constexpr std::int64_t kWidth = 5, kTokens = 3 * 2;
  const std::int64_t filters = 2 * 9 * kWidth + kWidth;  // one with a bias
  const std::int64_t norms = 4 * 2 * kWidth;
  const std::int64_t maps = 3 * kWidth * kWidth + 2 * kWidth + (7 * kWidth + 7) + (7 * kWidth + kWidth);
  const std::int64_t tables = (kTokens + 6) * kWidth;
  CHECK(summary.parameters == kWidth * 2 * 4 + filters + norms + maps + tables + 3 * kWidth + 3);
  const auto node =
      std::find_if(summary.nodes.begin(), summary.nodes.end(), [](const auto& n) { return n.name == "w_1"; });
  CHECK(node->macs_per_tick == kTokens * kWidth * 7);
  CHECK(node->output == Shape{3, 2, 7});
}

TEST_CASE("tables start as they should: those of places normal, those of ticks at zero, offsets without weight decay") {
  const std::string layers = layer("type = \"position\"\ntime_ticks = 3\nname = \"place\"") + kHead;
  const Network<float> net = test::network_of(layers, Shape{30, 40, 20});

  const Tensor<float>&space = net.tensor("place.space").value, &time = net.tensor("place.time").value;
  double sum = 0.0, squares = 0.0;
  for (std::ptrdiff_t i = 0; i < space.size(); ++i) {
    sum += static_cast<double>(space[i]);
    squares += static_cast<double>(space[i]) * static_cast<double>(space[i]);
  }
  const double n = static_cast<double>(space.size());
  // Five standard errors of the mean and of the variance of 24,000 draws.
  CHECK(std::abs(sum / n) <= 5.0 * 0.02 / std::sqrt(n));
  CHECK(std::abs(squares / n / (0.02 * 0.02) - 1.0) <= 5.0 * std::sqrt(2.0 / n));
  CHECK(std::all_of(time.span().begin(), time.span().end(), [](float v) { return v == 0.0F; }));
  CHECK(net.tensor("place.space").kind == TensorKind::offset);
  CHECK(net.tensor("place.time").kind == TensorKind::offset);
}

TEST_CASE("nodes of tokens that do not fit are named") {
  const std::string flat = layer("type = \"flatten\"");
  CHECK(says(problem(layer("type = \"depthwise_conv2d\"\nkernel = 4") + kHead, {4, 4, 2}), "kernel: must be odd"));
  CHECK(
      says(problem(flat + layer("type = \"depthwise_conv2d\"") + kHead, {4, 4, 2}), "depthwise_conv2d needs an image"));
  CHECK(says(problem(layer("type = \"multiply\"") + kHead, {4, 4, 2}), "multiply takes two inputs, got 1"));
  CHECK(says(problem(layer("type = \"conv2d\"\nchannels = 2\nname = \"a\"") +
                         layer("type = \"multiply\"\ninputs = [\"a\", \"input\"]") + kHead,
                     {4, 4, 2}),
             "multiply needs inputs of one shape, got [2, 2, 2] and [4, 4, 2]"));
  CHECK(says(problem(layer("type = \"position\"\nspace = false") + kHead, {4, 4, 2}), "there is no table at all"));
  CHECK(says(problem(layer("type = \"position\"\ntime_ticks = 2\nname = \"place\"") + kHead, {4, 4, 2}, 3),
             "layer \"place\": [position] time_ticks = 2 ends the table over time; the input has 3 ticks"));
  CHECK(says(problem(layer("type = \"linear\"\nout_features = 3\nper_token = true") + kHead, {4}),
             "linear with per_token needs an image"));
  CHECK(says(problem(layer("type = \"linear\"\nout_features = 3") + kHead, {4, 4, 2}), "linear needs a vector"));
}

TEST_CASE("the logits of a sample do not depend on its batch, bit for bit") {
  Network<float> net = build<float>(test::spec_of(test::kTokens), test::kTokensInput, 3);
  constexpr std::ptrdiff_t kTicks = 5, kBatch = 3;
  const auto all = test::random_tensor<float>(test::over_time(test::kTokensInput, kTicks, kBatch), 4, 0.0, 2.0);
  ClockedRuntime<float> runtime(net);
  const View<const float> logits = runtime.forward(all.view(), Mode::eval, {});
  const std::vector<float> together(logits.span().begin(), logits.span().end());

  const std::ptrdiff_t frame = test::kTokensInput.size(), classes = net.node_shapes.back().size();
  for (std::ptrdiff_t b = 0; b < kBatch; ++b) {
    Tensor<float> one(test::over_time(test::kTokensInput, kTicks, 1));
    for (std::ptrdiff_t t = 0; t < kTicks; ++t) {
      std::copy_n(all.data() + (t * kBatch + b) * frame, frame, one.data() + t * frame);
    }
    const View<const float> alone = runtime.forward(one.view(), Mode::eval, {});
    for (std::ptrdiff_t t = 0; t < kTicks; ++t) {
      for (std::ptrdiff_t k = 0; k < classes; ++k) {
        CHECK(alone[t * classes + k] == together[static_cast<std::size_t>((t * kBatch + b) * classes + k)]);
      }
    }
  }
}
