#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "learning/evaluate_rounded.hpp"

namespace synfire::apps {

/// "74 of 80 correct: 92.5 % (95 % interval 84.6 to 96.5 %)"
std::string accuracy_text(const learning::ConfusionMatrix& confusion);

/// What was evaluated.
struct EvaluationTitle {
  std::vector<std::string> classes;
  std::string split;     ///< "test"
  std::string protocol;  ///< how the weights were chosen: learning::selection_text
};

/// Accuracy, a row per class, and the confusion matrix, as text for a terminal. The accuracy is that of the network on
/// whole ticks; the one before rounding stands beside it.
std::string evaluation_text(const learning::RoundedEvaluation& evaluation, const EvaluationTitle& title);

/// The same for machines: split, protocol, correct, total, accuracy, interval, accuracy_unrounded (if delays lie
/// between ticks), mean_loss, per_class, classes, confusion[true][predicted].
std::string evaluation_json(const learning::RoundedEvaluation& evaluation, const EvaluationTitle& title);

}  // namespace synfire::apps
