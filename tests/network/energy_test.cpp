#include "network/energy.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "network/clocked_runtime.hpp"
#include "network/ledger_json.hpp"
#include "network/lemaire.hpp"
#include "tests/network/reference_network.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

// Sums of a few products of numbers with a few digits.
constexpr double kRounding = 1e-12;

OpLedger reference_ledger(std::ptrdiff_t samples) {
  Network<float> net = test::reference_network();
  const Tensor<float> both = test::reference_input();
  Tensor<float> input(Shape{4, samples, 3});
  for (std::ptrdiff_t t = 0; t < 4; ++t) std::copy_n(both.data() + 6 * t, 3 * samples, input.data() + 3 * samples * t);
  ClockedRuntime<float> runtime(net);
  OpLedger ledger;
  runtime.count_into(&ledger);
  runtime.forward(input.view(), Mode::eval, {});
  return ledger;
}

}  // namespace

TEST_CASE("the neurons of a small network cost ten times its synapses") {
  const LayerLedger total = reference_ledger(1).total();
  const EnergyTable table = open_energy_table("horowitz-45nm-fp32");

  // Sample 0 alone: 15 ACs; 24 updates; a bias of 4 neurons in 4 ticks; 8 soft resets.
  CHECK(total.nb_acs == 15);
  CHECK(energy_of(total, table).papers_pj == doctest::Approx(13.5).epsilon(kRounding));
  CHECK(total.neuron_updates == 24);
  CHECK(total.mul == 24);
  CHECK(total.cmp == 24);
  CHECK(total.add == 24 + 16 + 8);
  CHECK(24 * (table.mul_pj + 2 * table.add_pj) == doctest::Approx(132.0).epsilon(kRounding));
}

TEST_CASE("energy is counts times prices") {
  LayerLedger r;
  r.exec_macs = 1;
  r.exec_acs = 10;
  r.add = 100;
  r.cmp = 1000;
  r.mul = 2;
  r.exp = r.log = r.div = 1;
  r.addr_ops = 5;
  r.w_rd = 80;
  r.state_rd = 16;
  r.state_wr = 8;
  r.io_rd = 4;
  r.io_wr = 12;
  r.sizes.weight_bytes = 32768;
  r.sizes.state_bytes = 1 << 20;
  r.sizes.input_bytes = 8192;
  r.sizes.output_bytes = 1 << 21;

  const LayerEnergy energy = energy_of(r, open_energy_table("horowitz-45nm-fp32"));

  CHECK(energy.compute_pj == doctest::Approx(4.6 + 9.0 + 990.0 + 7.4 + 3 * 37.0 + 0.5).epsilon(kRounding));
  CHECK(energy.memory_pj == doctest::Approx(10 * 20.0 + 3 * 100.0 + 0.5 * 10.0 + 1.5 * 1950.0).epsilon(kRounding));
}

TEST_CASE("the papers' table prices synaptic operations and nothing else") {
  const OpLedger ledger = reference_ledger(2);

  const EnergyReport report = energy_report(ledger, open_energy_table("papers"));

  CHECK(report.total.spiking.total_pj() == doctest::Approx(13.5).epsilon(kRounding));
  CHECK(report.per_sample_pj() == doctest::Approx(6.75).epsilon(kRounding));
  // 20 weights: 20 MACs against 80 chances of an AC.
  REQUIRE(report.total.break_even_rate);
  CHECK(*report.total.break_even_rate == 1.0);
}

TEST_CASE("the twin has as many bits as the ticks can tell apart") {
  CHECK(twin_bits(1) == 1);
  CHECK(twin_bits(3) == 2);
  CHECK(twin_bits(4) == 3);
  CHECK(twin_bits(7) == 3);
  CHECK(twin_bits(8) == 4);
  CHECK(twin_bits(100) == 7);
}

TEST_CASE("at its break-even rate a layer costs what its twin costs") {
  // 1000 inputs, 100 outputs, one sample of 4 ticks; neurons as lif.
  LayerLedger r;
  r.name = "fc";
  r.samples = 1;
  r.ticks = 4;
  r.input_elems = 4000;
  r.output_elems = 400;
  r.neuron_updates = r.add = r.mul = r.cmp = 400;
  r.state_rd = r.state_wr = 1600;
  r.sizes = {400000, 400, 4000, 400, 100000, 0, 100000, 0, 100, 100000, true};
  const EnergyTable table = open_energy_table("horowitz-45nm-fp32");
  OpLedger ledger;
  ledger.samples = 1;
  ledger.ticks = 4;
  ledger.layers = {r};
  const EnergyReport report = energy_report(ledger, table);
  REQUIRE(report.layers[0].break_even_rate);
  const double rate = *report.layers[0].break_even_rate;
  CHECK(rate > 0.0);
  CHECK(rate < 1.0);

  const auto events = static_cast<std::uint64_t>(rate * 4000.0);
  r.exec_acs = events * 100;
  r.w_rd = 4 * r.exec_acs;
  r.addr_ops = 2 * events + r.exec_acs;
  r.io_rd = 4 * events;

  // Whole events: within the cost of one.
  CHECK(energy_of(r, table).total_pj() ==
        doctest::Approx(report.layers[0].twin.total_pj()).epsilon(1.0 / static_cast<double>(events)));
}

TEST_CASE("no rate breaks even where the neurons alone cost more than the twin") {
  const EnergyReport report = energy_report(reference_ledger(2), open_energy_table("horowitz-45nm-fp32"));

  REQUIRE(report.layers.size() == 2);
  REQUIRE(report.layers[1].break_even_rate);
  CHECK(*report.layers[1].break_even_rate == 0.0);
}

// Calculated by hand, and equal to SpikingJelly 2.0.0: docs/energy.md.
TEST_CASE("one spike into a convolution of 1 to 2 channels costs 134.48984375 pJ after Lemaire") {
  LayerLedger record;
  record.ticks = record.samples = 1;
  record.events_in = record.eff_unit = 1;
  record.neuron_updates = 32;
  record.sizes.weights = 18;
  record.sizes.fires = true;
  const Operation conv = Conv2dSpec{.channels = 2, .kernel = 3, .stride = 1, .padding = 1, .bias = false};
  const auto layer = lemaire_layer(conv, Shape{4, 4, 1}, Shape{4, 4, 2}, record);
  REQUIRE(layer);

  const LemaireEnergy energy = lemaire_energy(*layer, open_energy_table("lemaire"));

  CHECK(energy.arithmetic_pj == doctest::Approx(104.2).epsilon(kRounding));
  CHECK(energy.address_pj == doctest::Approx(8.2).epsilon(kRounding));
  CHECK(energy.parameters_pj == 1.58203125);
  CHECK(energy.potentials_pj == 15.625);
  CHECK(energy.input_pj == 4.8828125);
  CHECK(energy.output_pj == 0.0);
  CHECK(energy.total_pj() == doctest::Approx(134.48984375).epsilon(kRounding));
}

TEST_CASE("with stride 2 Lemaire's model adds to fewer targets but reads as many weights") {
  LayerLedger record;
  record.ticks = record.samples = record.events_in = record.eff_unit = 1;
  record.neuron_updates = 8;
  record.sizes.weights = 18;
  const Operation conv = Conv2dSpec{.channels = 2, .kernel = 3, .stride = 2, .padding = 1, .bias = false};

  const auto layer = lemaire_layer(conv, Shape{4, 4, 1}, Shape{2, 2, 2}, record);

  REQUIRE(layer);
  CHECK(layer->fan_out_stride == 8.0);
  CHECK(layer->fan_out == 18.0);
  CHECK_FALSE(lemaire_layer(VoteSpec{}, Shape{20}, Shape{2}, record));
}

TEST_CASE("the ledger of the reference network as JSON") {
  const OpLedger ledger = reference_ledger(2);
  const EnergyTable table = open_energy_table("horowitz-45nm-fp32");

  const auto json = nlohmann::json::parse(
      ledger_json(ledger, {.network = "reference", .config_sha256 = "0", .batch = 2, .dt_ms = 20.0, .lemaire_pj = {}},
                  table, energy_report(ledger, table)));

  CHECK(json.at("synfire_ledger") == 1);
  CHECK(json.at("engine") == "clocked-cpu");
  CHECK(json.at("ticks_per_sample") == 4);
  CHECK(json.at("tick_us") == 20000);
  const auto& fc1 = json.at("layers").at(0);
  CHECK(fc1.at("kind") == "linear+lif");
  CHECK(fc1.at("ops") ==
        nlohmann::json::parse(R"({"add": 70, "mul": 32, "cmp": 32, "exp": 0, "log": 0, "div": 0, "addr": 24})"));
  CHECK(fc1.at("bytes") ==
        nlohmann::json::parse(R"({"w_rd": 64, "state_rd": 128, "state_wr": 128, "io_rd": 16, "io_wr": 24})"));
  CHECK(fc1.at("path") == nlohmann::json::parse(R"({"dense": 0, "scatter": 8, "bits": 0})"));
  CHECK(json.at("neurobench").at("synaptic_operations").at("Effective_ACs") == 7.5);
  CHECK(json.at("neurobench").at("model_execution_rate_hz") == 50.0);
  CHECK(json.at("total").at("nb_acs") == 15);
  CHECK(json.at("energy_pj").at("papers").get<double>() == doctest::Approx(13.5).epsilon(kRounding));
  CHECK(json.at("energy_pj").at("twin_bits") == 3);
  CHECK(json.at("measured_j").is_null());
}
