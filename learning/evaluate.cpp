#include "learning/evaluate.hpp"

#include <cstddef>
#include <span>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire::learning {

void check_classes(const network::Network<float>& network, const BatchSource& source) {
  const auto num_classes = std::ssize(source.class_names());
  const Shape output = network.node_shapes.empty() ? network.input : network.node_shapes.back();
  if (output != Shape{num_classes})
    throw ShapeError(fmt::format("[network] the output must be one value for each of the {} classes, is {}",
                                 num_classes, output.text()));
}

Evaluation evaluate(network::ClockedRuntime<float>& runtime, BatchSource& source, const LossConfig& loss_config,
                    FunctionRef<bool(std::int64_t, std::int64_t)> keep_going) {
  const auto forward = [&](View<const float> input) { return runtime.forward(input, network::Mode::eval, {}); };
  const auto firing_rates = [&] { return runtime.firing_rates(); };
  return evaluate(runtime.network(), {forward, firing_rates}, source, loss_config, keep_going);
}

Evaluation evaluate(const network::Network<float>& network, const Engine& engine, BatchSource& source,
                    const LossConfig& loss_config, FunctionRef<bool(std::int64_t, std::int64_t)> keep_going) {
  check_classes(network, source);
  const std::size_t num_classes = source.class_names().size();
  Evaluation result(static_cast<int>(num_classes));
  result.firing_rates.assign(network.spec.nodes.size(), 0.0);
  std::vector<double> scores;
  Batch batch;
  double loss_sum = 0.0, num_samples = 0.0;
  std::int64_t batches_done = 0;

  source.start_epoch(0, 0, 0);
  result.complete = true;
  while (result.complete && source.next(batch)) {
    const View<const float> output = engine.forward(batch.input.view());
    scores.resize(batch.label.size() * num_classes);
    const auto in_batch = static_cast<double>(batch.label.size());
    loss_sum +=
        in_batch * loss<float>(loss_config, output, targets_of(loss_config, batch, output.shape[0]), scores, {});
    num_samples += in_batch;
    for (std::size_t b = 0; b < batch.label.size(); ++b) {
      const std::int32_t prediction = predicted_class(std::span(scores).subspan(b * num_classes, num_classes));
      result.confusion.add(batch.label[b], prediction);
      result.index.push_back(batch.index[b]);
      result.label.push_back(batch.label[b]);
      result.prediction.push_back(prediction);
    }
    const std::vector<double> rates = engine.firing_rates();
    for (std::size_t node = 0; node < rates.size(); ++node) result.firing_rates[node] += in_batch * rates[node];
    result.complete = keep_going(++batches_done, source.num_batches());
  }
  if (num_samples > 0.0) {
    result.mean_loss = loss_sum / num_samples;
    for (double& rate : result.firing_rates) rate /= num_samples;
  }
  return result;
}

}  // namespace synfire::learning
