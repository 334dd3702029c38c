#include "core/op_ledger.hpp"

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "network/clocked_runtime.hpp"
#include "tests/network/reference_network.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

template <class Scalar>
OpLedger count(Network<Scalar>& net, const Tensor<Scalar>& input) {
  ClockedRuntime<Scalar> runtime(net);
  OpLedger ledger;
  runtime.count_into(&ledger);
  runtime.forward(input.view(), Mode::eval, {});
  return ledger;
}

/// Samples [first, first + count) of [T, B, ...].
Tensor<float> samples_of(const Tensor<float>& all, std::ptrdiff_t first, std::ptrdiff_t count) {
  const Shape& shape = all.shape();
  const std::ptrdiff_t size = shape.size_from(2);
  Tensor<float> result(shape.drop_front(2).prepend(count).prepend(shape[0]));
  for (std::ptrdiff_t t = 0; t < shape[0]; ++t) {
    std::copy_n(all.data() + (t * shape[1] + first) * size, count * size, result.data() + t * count * size);
  }
  return result;
}

}  // namespace

TEST_CASE("the reference network counts as NeuroBench does, and as section 6.2 of its definition says") {
  Network<float> net = test::reference_network();

  const OpLedger ledger = count(net, test::reference_input());

  const NeuroBenchNumbers nb = neurobench_numbers(ledger);
  CHECK(nb.effective_acs == 7.5);
  CHECK(nb.effective_macs == 0.0);
  CHECK(nb.dense == 80.0);
  CHECK(nb.activation_sparsity == doctest::Approx(5.0 / 6.0).epsilon(1e-15));
  CHECK(nb.connection_sparsity == 0.45);
  CHECK(nb.parameter_count == 24);
  CHECK(nb.footprint_parameters == 96);
  CHECK(nb.state_bytes == 24);
  CHECK(nb.membrane_updates == 21.0);

  REQUIRE(ledger.layers.size() == 2);
  const LayerLedger& fc1 = ledger.layers[0];
  CHECK(fc1.name == "fc1");
  CHECK(fc1.kind == "linear+lif");
  CHECK(fc1.samples == 2);
  CHECK(fc1.ticks == 8);
  CHECK(fc1.dense_synops == 96);
  CHECK(fc1.eff_unit == 8);
  CHECK(fc1.eff_graded == 0);
  CHECK(fc1.nb_acs == 8);
  CHECK(fc1.nb_macs == 0);
  CHECK(fc1.exec_acs == 16);
  CHECK(fc1.exec_macs == 0);
  CHECK(fc1.events_in == 4);
  CHECK(fc1.input_elems == 24);
  CHECK(fc1.events_out == 6);
  CHECK(fc1.output_elems == 32);
  CHECK(fc1.neuron_updates == 32);
  CHECK(fc1.add == 70);
  CHECK(fc1.mul == 32);
  CHECK(fc1.cmp == 32);
  CHECK(fc1.addr_ops == 24);
  CHECK(fc1.w_rd == 64);
  CHECK(fc1.state_rd == 128);
  CHECK(fc1.state_wr == 128);
  CHECK(fc1.io_rd == 16);
  CHECK(fc1.io_wr == 24);
  CHECK(fc1.path_scatter == 8);
  CHECK(fc1.path_dense == 0);
}

TEST_CASE("a graded input of the reference network moves its call to the MACs") {
  Network<float> net = test::reference_network();
  Tensor<float> input = test::reference_input();
  input[0] = 0.5F;

  const NeuroBenchNumbers nb = neurobench_numbers(count(net, input));

  CHECK(nb.effective_acs == 5.5);
  CHECK(nb.effective_macs == 1.0);
  CHECK(nb.activation_sparsity == doctest::Approx(1.0 - 5.0 / 48.0).epsilon(1e-15));
  CHECK(nb.membrane_updates == 19.5);
}

TEST_CASE("samples of the reference network on their own") {
  Network<float> net = test::reference_network();
  const Tensor<float> both = test::reference_input();

  const NeuroBenchNumbers first = neurobench_numbers(count(net, samples_of(both, 0, 1)));
  const NeuroBenchNumbers second = neurobench_numbers(count(net, samples_of(both, 1, 1)));

  CHECK(first.effective_acs == 15.0);
  CHECK(first.membrane_updates == 24.0);
  CHECK(first.activation_sparsity == doctest::Approx(2.0 / 3.0).epsilon(1e-15));
  CHECK(second.effective_acs == 0.0);
  CHECK(second.activation_sparsity == 1.0);
  CHECK(second.membrane_updates == 18.0);
}

TEST_CASE("what leaves a layer enters the next, and every frame takes one path") {
  Network<float> net = build<float>(test::spec_of(test::kChain), test::kChainInput, 3);
  const auto input = test::random_tensor<float>(test::over_time(test::kChainInput, 6, 5), 4, 0.0, 3.0);

  const OpLedger ledger = count(net, input);

  std::vector<std::string> kinds;
  for (const LayerLedger& layer : ledger.layers) kinds.push_back(layer.kind);
  CHECK(kinds == std::vector<std::string>{"conv2d+batch_norm+lif", "max_pool", "conv2d+lif", "batch_norm", "avg_pool",
                                          "linear+lif", "linear", "vote+leaky_integrator"});
  for (std::size_t i = 1; i < ledger.layers.size(); ++i) {
    CAPTURE(ledger.layers[i].name);
    CHECK(ledger.layers[i].events_in == ledger.layers[i - 1].events_out);
    CHECK(ledger.layers[i].input_elems == ledger.layers[i - 1].output_elems);
    CHECK(ledger.layers[i].samples == 5);
    CHECK(ledger.layers[i].ticks == 30);
  }
  CHECK(ledger.layers[0].events_out > 0);
  CHECK(ledger.layers[2].exec_acs + ledger.layers[2].exec_macs >= ledger.layers[2].eff_unit);
  for (const std::size_t i : {0U, 2U, 5U, 6U}) {
    CHECK(ledger.layers[i].path_dense + ledger.layers[i].path_scatter == 30);
    CHECK(ledger.layers[i].dense_synops > 0);
  }
  CHECK(ledger.total().dense_synops == ledger.layers[0].dense_synops + ledger.layers[2].dense_synops +
                                           ledger.layers[5].dense_synops + ledger.layers[6].dense_synops);
}

TEST_CASE("silence asks for no product") {
  for (const std::string& toml : {test::kChain, test::kResidual}) {
    const Shape tick = toml == test::kChain ? test::kChainInput : test::kResidualInput;
    Network<float> net = build<float>(test::spec_of(toml), tick, 3);
    for (NamedTensor<float>& tensor : net.tensors) {
      if (tensor.name.ends_with(".bias")) std::fill(tensor.value.span().begin(), tensor.value.span().end(), 0.0F);
    }
    const Tensor<float> input(test::over_time(tick, 4, 2));

    const LayerLedger total = count(net, input).total();

    CHECK(total.eff_unit + total.eff_graded == 0);
    CHECK(total.exec_acs == 0);
    CHECK(total.events_in == 0);
    CHECK(total.neuron_updates > 0);
    CHECK(total.state_rd > 0);
    CHECK(total.dense_synops > 0);
  }
}

TEST_CASE("the batch changes how products divide into ACs and MACs, and nothing else") {
  Network<float> net = test::reference_network();
  // Sparse enough for the linear layer to scatter, whether it sees one sample or both: it decides once for a batch.
  Tensor<float> input(test::reference_input().shape());
  input[0] = 0.5F;  // tick 0, sample 0
  input[3] = 1.0F;  // tick 0, sample 1
  input[12] = 1.0F;
  ClockedRuntime<float> runtime(net);
  OpLedger apart;
  runtime.count_into(&apart);
  for (const std::ptrdiff_t b : {1, 0}) runtime.forward(samples_of(input, b, 1).view(), Mode::eval, {});

  OpLedger together = count(net, input);

  CHECK(together.layers[0].nb_macs == 4);
  CHECK(apart.layers[0].nb_macs == 2);
  for (std::size_t i = 0; i < together.layers.size(); ++i) {
    CHECK(apart.layers[i].nb_acs + apart.layers[i].nb_macs == together.layers[i].nb_acs + together.layers[i].nb_macs);
    together.layers[i].nb_acs = apart.layers[i].nb_acs;
    together.layers[i].nb_macs = apart.layers[i].nb_macs;
  }
  CHECK(apart == together);
}

TEST_CASE("threads change nothing") {
  const auto run = [](int threads, const std::string& toml, const Shape& tick) {
    set_num_threads(threads);
    Network<float> net = build<float>(test::spec_of(toml), tick, 3);
    const OpLedger ledger = count(net, test::random_tensor<float>(test::over_time(tick, 9, 5), 4, -0.5, 2.0));
    set_num_threads(0);
    return ledger;
  };

  CHECK(run(1, test::kChain, test::kChainInput) == run(8, test::kChain, test::kChainInput));
  CHECK(run(1, test::kRecurrent, test::kRecurrentInput) == run(8, test::kRecurrent, test::kRecurrentInput));
}

TEST_CASE("ledgers of two halves add up to that of the whole") {
  Network<float> net = build<float>(test::spec_of(test::kResidual), test::kResidualInput, 3);
  const auto input = test::random_tensor<float>(test::over_time(test::kResidualInput, 5, 4), 4, 0.0, 2.0);

  OpLedger sum = count(net, samples_of(input, 0, 2));
  sum += count(net, samples_of(input, 2, 2));

  const OpLedger whole = count(net, input);
  CHECK(sum.samples == 4);
  CHECK(sum.total() == whole.total());
}

TEST_CASE("a training pass is not counted, nor a pass after counting has stopped") {
  Network<float> net = test::reference_network();
  const Tensor<float> input = test::reference_input();
  ClockedRuntime<float> runtime(net);
  OpLedger ledger;
  runtime.count_into(&ledger);
  runtime.forward(input.view(), Mode::train, {});
  runtime.count_into(nullptr);
  runtime.forward(input.view(), Mode::eval, {});

  CHECK(ledger.samples == 0);
  CHECK(ledger.total().dense_synops == 0);
}

TEST_CASE("a ledger of another network is refused") {
  Network<float> one = test::reference_network();
  Network<float> other = build<float>(test::spec_of(test::kRowNeurons), test::kRowNeuronsInput, 1);
  OpLedger ledger = count(one, test::reference_input());
  ClockedRuntime<float> runtime(other);

  CHECK_THROWS_AS(runtime.count_into(&ledger), Error);
}

TEST_CASE("recurrent populations count their own spikes") {
  Network<float> net = build<float>(test::spec_of(test::kRecurrent), test::kRecurrentInput, 3);
  const auto input = test::random_tensor<float>(test::over_time(test::kRecurrentInput, 8, 2), 4, 0.0, 3.0);

  const OpLedger ledger = count(net, input);

  REQUIRE(ledger.layers.size() == 4);
  CHECK(ledger.layers[1].kind == "recurrent");
  CHECK(ledger.layers[1].dense_synops == 8 * 2 * 5 * 5);
  CHECK(ledger.layers[1].events_out > 0);
  CHECK(ledger.layers[1].events_in == ledger.layers[1].events_out);
  CHECK(ledger.layers[1].exec_acs == 5 * ledger.layers[1].events_out);
  CHECK(ledger.layers[3].dense_synops == 8 * 2 * 5 * 18 * 18);
  CHECK(ledger.layers[3].neuron_updates == 8 * 2 * 18);
  CHECK(ledger.layers[3].state_rd == 2 * 4 * 8 * 2 * 18);
}

TEST_CASE("a ledger as a table has a row for every layer and one for the sums") {
  Network<float> net = test::reference_network();

  const std::string csv = ledger_csv(count(net, test::reference_input()));

  CHECK(csv.starts_with("name,kind,samples,ticks,dense_synops,eff_unit"));
  CHECK(csv.find("\nfc1,linear+lif,2,8,96,8,") != std::string::npos);
  CHECK(csv.find("\ntotal,,2,8,160,15,") != std::string::npos);
}
