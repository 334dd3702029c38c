// Central finite differences in double of a whole network with smooth spikes, through time: the same code path as in
// training, with the surrogate's primitive instead of the step.
#include <doctest/doctest.h>

#include "tests/network/gradient_case.hpp"
#include "tests/network/scan_networks.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;
using Case = test::GradientCase;

TEST_CASE("gradients of a chain of every kind of node equal finite differences") {
  Case chain(test::kChain, test::kChainInput);
  chain.check_all();
}

TEST_CASE("the gradients of learned time constants equal finite differences, with and without decayed input") {
  Case learned(test::kLearnedTaus, test::kLearnedTausInput);
  learned.check_all();
}

TEST_CASE("gradients through current-based and adaptive neurons, and of what they learn, equal finite differences") {
  Case neurons(test::kRowNeurons, test::kRowNeuronsInput);
  neurons.check_all();
}

TEST_CASE(
    "gradients through populations that feed back, of their weights, delays and neurons, equal finite differences") {
  for (const std::string& toml : {test::kRecurrent, test::kRecurrentAdaptive}) {
    Case recurrent(toml, test::kRecurrentInput);
    recurrent.check_all();
  }
}

TEST_CASE("gradients of a graph with sums and shared outputs equal finite differences") {
  Case residual(test::kResidual, test::kResidualInput);
  residual.check_all();
}

TEST_CASE("gradients of a network of tokens, with gates, norms, tables and dropped paths, equal finite differences") {
  Case tokens(test::kTokens, test::kTokensInput);
  tokens.check_all();
}

TEST_CASE("gradients through attentions, in shifted windows and through time, equal finite differences") {
  Case attention(test::kAttention, test::kAttentionInput);
  attention.check_all();
}

TEST_CASE("gradients of convolutions along sequences and selective scans equal finite differences on every axis") {
  for (const std::string axis : {"tokens", "frame", "time"}) {
    CAPTURE(axis);
    Case scan(test::scan_network(axis), test::kScanInput);
    scan.check_all();
  }
}
