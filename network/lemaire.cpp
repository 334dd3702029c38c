#include "network/lemaire.hpp"

namespace synfire::network {

namespace {

constexpr double kWordBytes = 4.0;
constexpr double kFifoBytes = 1000.0 * kWordBytes;

double ceil_ratio(int a, int b) { return static_cast<double>((a + b - 1) / b); }

}  // namespace

LemaireEnergy lemaire_energy(const LemaireLayer& l, const EnergyTable& table) {
  const double updates = l.has_neurons ? l.ticks * l.outputs : 0.0;
  const double bias = l.has_bias ? l.outputs * l.ticks : 0.0;
  const double products = l.ticks * l.dense_macs;
  double acc = bias, mac = l.leaks ? updates : 0.0;
  double address_acc = 0.0, address_mac = 0.0, input_words = 0.0, weight_words = bias, state_words = updates;
  if (l.binary_input) {
    acc += l.spikes_in * l.fan_out_stride + l.spikes_out;
    address_acc = l.spikes_in * l.fan_out;
    address_mac = l.is_conv ? 2.0 * l.spikes_in : 0.0;
    input_words = l.spikes_in;
    weight_words += l.spikes_in * l.fan_out;
    state_words += l.spikes_in * l.fan_out;
  } else {
    mac += products;
    address_acc = l.ticks * (l.inputs + l.outputs + l.kernel_weights);
    input_words = l.is_conv ? products : l.ticks * l.inputs;
    weight_words += products;
  }
  const auto words_pj = [&](double words, double bytes) { return table.traffic_pj(words * kWordBytes, bytes); };
  LemaireEnergy energy;
  energy.arithmetic_pj = acc * table.add_pj + mac * table.mac_pj();
  energy.address_pj = address_acc * table.add_pj + address_mac * table.mac_pj();
  energy.parameters_pj = words_pj(weight_words, l.parameters * kWordBytes);
  energy.potentials_pj = words_pj(2.0 * state_words, l.has_neurons ? l.outputs * kWordBytes : 0.0);
  energy.input_pj = words_pj(input_words, l.binary_input ? kFifoBytes : l.inputs * kWordBytes);
  energy.output_pj =
      l.has_neurons ? words_pj(l.spikes_out, kFifoBytes) : words_pj(l.ticks * l.outputs, l.outputs * kWordBytes);
  return energy;
}

std::optional<LemaireLayer> lemaire_layer(const Operation& first, const Shape& input, const Shape& output,
                                          const LayerLedger& record) {
  const auto* const conv = std::get_if<Conv2dSpec>(&first);
  const auto* const linear = std::get_if<LinearSpec>(&first);
  if (conv == nullptr && linear == nullptr) return {};
  LemaireLayer l;
  l.is_conv = conv != nullptr;
  l.binary_input = record.eff_graded == 0;
  l.has_bias = conv != nullptr ? conv->bias : linear->bias;
  l.has_neurons = record.neuron_updates > 0;
  l.ticks = static_cast<double>(record.ticks);
  l.spikes_in = static_cast<double>(record.events_in);
  l.spikes_out = record.sizes.fires ? static_cast<double>(record.events_out) : 0.0;
  l.inputs = static_cast<double>(input.size());
  l.outputs = static_cast<double>(output.size());
  l.parameters =
      static_cast<double>(record.sizes.weights) + (l.has_bias ? static_cast<double>(output.channels()) : 0.0);
  if (conv != nullptr) {
    const double area = static_cast<double>(conv->kernel) * conv->kernel;
    l.fan_out = conv->channels * area;
    l.fan_out_stride = conv->channels * ceil_ratio(conv->kernel, conv->stride) * ceil_ratio(conv->kernel, conv->stride);
    l.kernel_weights = l.fan_out;
    l.dense_macs = l.outputs * area * static_cast<double>(input.channels());
  } else {
    l.fan_out = l.fan_out_stride = l.outputs;
    l.dense_macs = l.inputs * l.outputs;
  }
  return l;
}

}  // namespace synfire::network
