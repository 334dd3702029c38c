#include <algorithm>

#include "network/op_count.hpp"
#include "synapses/mixers/swla.hpp"
#include "synapses/nonzeros.hpp"

namespace synfire::network {

namespace {

std::uint64_t u64(std::ptrdiff_t count) { return static_cast<std::uint64_t>(count); }

/// Products of features with rows, summed over tokens and heads of d channels.
struct Rows {
  std::uint64_t features = 0;  ///< that are not zero
  std::uint64_t products = 0;  ///< of features and elements of rows that are not zero
};

/// \param v  what the features meet; null: rows without zeros
template <class Scalar>
Rows count_rows(const Signal<Scalar>& x, const Signal<Scalar>* v, bool shifted, std::ptrdiff_t d) {
  Rows rows;
  const auto nonzeros = [d](const Signal<Scalar>& signal, std::ptrdiff_t from) {
    return u64(signal.is_spikes() ? synapses::count_nonzeros(signal.spikes + from, d)
                                  : synapses::count_nonzeros(signal.real + from, d));
  };
  for (std::ptrdiff_t from = 0; from < x.shape.size(); from += d) {
    const std::uint64_t features = nonzeros(x, from) + (shifted ? 1 : 0);
    rows.features += features;
    rows.products += features * (v == nullptr ? u64(d) : nonzeros(*v, from));
  }
  return rows;
}

/// Tokens of a window of full size.
std::uint64_t pairs_per_token(const synapses::MixerConfig& config, const Shape& shape) {
  std::ptrdiff_t tokens = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::ptrdiff_t all = axis == 0 ? shape[0] : shape.rank() == 5 ? shape[static_cast<int>(axis) + 1] : 1;
    const int size = config.window_size[axis];
    tokens *= size == 0 ? all : std::min<std::ptrdiff_t>(all, size);
  }
  return u64(tokens);
}

}  // namespace

template <class Scalar>
void count_attention(const synapses::MixerInput<Scalar>& in, const synapses::MixerConfig& config, LayerLedger& record) {
  using namespace synapses;
  for (const Signal<Scalar>* x : {&in.q, &in.k, &in.v}) count_input(*x, record);
  const Shape& shape = in.q.shape;
  const std::ptrdiff_t d = shape.channels() / config.heads;
  const std::uint64_t elements = u64(shape.size()), heads = elements / u64(d);
  std::uint64_t rows = u64(2 * d);  // products for an element of the output
  if (config.kind == MixerKind::delta) rows = u64(3 * d);
  if (config.kind == MixerKind::window) rows = 2 * pairs_per_token(config, shape);
  record.attn_dense += rows * elements;
  const bool of_spikes = config.kind == MixerKind::swla || config.kind == MixerKind::ssa;
  if (of_spikes && in.q.is_spikes() && in.k.is_spikes() && config.rope == MixerRope::none) {
    const bool shifted = config.feature == MixerFeature::shift;
    const Rows keys = count_rows(in.k, &in.v, shifted, d), queries = count_rows<Scalar>(in.q, nullptr, shifted, d);
    record.attn_acs += keys.products + queries.products;
    record.state_rd += (keys.products + queries.products) * sizeof(Scalar);
    record.state_wr += keys.products * sizeof(Scalar);
    if (config.kind == MixerKind::swla)
      record.add += keys.features + queries.features;  // m and its product with phi(q)
  } else {
    record.attn_macs += rows * elements;
    if (config.kind != MixerKind::window) {
      record.state_rd += rows * elements * sizeof(Scalar);
      record.state_wr += u64(d) * elements * sizeof(Scalar);
    }
    if (config.kind == MixerKind::swla || config.kind == MixerKind::linear) {
      record.add += 2 * elements;
      record.mul += elements;
    }
  }
  if (config.rope != MixerRope::none) {  // of q and k
    record.mul += 4 * elements;
    record.add += 2 * elements;
  }
  switch (config.kind) {
    case MixerKind::window:
      record.exp += heads * pairs_per_token(config, shape);
      record.div += heads;
      break;
    case MixerKind::linear:
      record.exp += 2 * elements;
      record.div += heads;
      break;
    case MixerKind::swla:
      if (config.norm == MixerNorm::sum) record.div += heads;
      break;
    case MixerKind::gla:
      record.exp += elements;
      record.mul += elements * u64(d);
      break;
    case MixerKind::lightning:
      record.mul += elements * u64(d);
      break;
    case MixerKind::delta:
    case MixerKind::ssa:
      break;
  }
  record.mul += elements;  // by the normaliser or the scale
}

template void count_attention(const synapses::MixerInput<float>&, const synapses::MixerConfig&, LayerLedger&);
template void count_attention(const synapses::MixerInput<double>&, const synapses::MixerConfig&, LayerLedger&);

}  // namespace synfire::network
