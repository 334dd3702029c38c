#pragma once

#include <string>
#include <utility>
#include <vector>

namespace synfire::apps {

/// A picture of one recording and what the network said of it.
struct ReportExample {
  std::vector<unsigned char> png;
  std::string label;
  std::string predicted;
};

/// How many delays of a layer there are of 0, 1, ... ticks.
struct DelayHistogram {
  std::string layer;
  std::vector<long long> before;  ///< training
  std::vector<long long> after;
};

/// What a run executes and what it costs. Tables: a header row, then one row a layer, and the sums.
struct ReportEnergy {
  std::vector<std::vector<std::string>> executed;
  std::vector<std::vector<std::string>> neurobench;
  std::vector<std::string> notes;
};

/// What report.html shows. Numbers that a run does not have are left out, never made up.
struct ReportData {
  std::string title;
  std::string subtitle;
  std::vector<std::pair<std::string, std::string>> figures;  ///< value, what it is: the row of large numbers
  std::string epochs_json;                                   ///< the run's metrics, an array of objects
  std::string split;                                         ///< "test"; empty: no evaluation
  std::vector<std::string> classes;
  std::vector<std::vector<long long>> confusion;  ///< [true][predicted]
  std::vector<ReportExample> examples;
  std::vector<std::vector<std::string>> layers;  ///< header row, then one row a layer
  std::vector<DelayHistogram> delays;
  ReportEnergy energy;  ///< empty: nothing was counted
  std::string config;   ///< resolved configuration
  std::vector<std::pair<std::string, std::string>> environment;
};

/// One self-contained page: styles, data, pictures and the charting library (Chart.js) are inside; it loads nothing.
std::string report_html(const ReportData& data);

}  // namespace synfire::apps
