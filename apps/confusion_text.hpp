#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "learning/evaluate.hpp"

namespace synfire::apps {

/// "74 of 80 correct: 92.5 % (95 % interval 84.6 to 96.5 %)"
std::string accuracy_text(const learning::ConfusionMatrix& confusion);

/// Accuracy, a row per class, and the confusion matrix, as text for a terminal.
std::string evaluation_text(const learning::Evaluation& evaluation, const std::vector<std::string>& classes);

/// The same for machines: correct, total, accuracy, interval, mean_loss, per_class, classes,
/// confusion[true][predicted].
std::string evaluation_json(const learning::Evaluation& evaluation, const std::vector<std::string>& classes,
                            const std::string& split);

}  // namespace synfire::apps
