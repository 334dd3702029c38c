#include "apps/report/report.hpp"

#include <string_view>

#include "embedded_chart_library.hpp"
#include "embedded_report_page.hpp"
#include "embedded_report_script.hpp"
#include "embedded_report_style.hpp"
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

namespace synfire::apps {

namespace {

using nlohmann::json;

std::string base64(const std::vector<unsigned char>& bytes) {
  std::string result((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()), bytes.data(), static_cast<int>(bytes.size()));
  result.resize(static_cast<std::size_t>(length));
  return result;
}

/// A script element ends at the first "</", wherever it stands.
std::string inside_script(std::string text) {
  for (std::size_t at = text.find("</"); at != std::string::npos; at = text.find("</", at + 3))
    text.insert(at + 1, "\\");
  return text;
}

std::string html_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

json data_json(const ReportData& data) {
  json result = {{"title", data.title},       {"subtitle", data.subtitle},
                 {"figures", data.figures},   {"epochs", json::parse(data.epochs_json)},
                 {"config", data.config},     {"environment", data.environment},
                 {"examples", json::array()}, {"delays", json::array()}};
  if (!data.split.empty()) {
    result["evaluation"] = {{"split", data.split}, {"classes", data.classes}, {"confusion", data.confusion}};
  }
  for (const ReportExample& example : data.examples) {
    result["examples"].push_back(
        {{"png", base64(example.png)}, {"label", example.label}, {"predicted", example.predicted}});
  }
  for (const DelayHistogram& layer : data.delays) {
    result["delays"].push_back({{"layer", layer.layer}, {"before", layer.before}, {"after", layer.after}});
  }
  if (!data.energy.executed.empty()) {
    result["energy"] = {
        {"executed", data.energy.executed}, {"neurobench", data.energy.neurobench}, {"notes", data.energy.notes}};
  }
  result["layers"] = {{"columns", data.layers.empty() ? std::vector<std::string>{} : data.layers.front()},
                      {"rows", json::array()}};
  for (std::size_t i = 1; i < data.layers.size(); ++i) result["layers"]["rows"].push_back(data.layers[i]);
  return result;
}

}  // namespace

std::string report_html(const ReportData& data) {
  // Text that is not UTF-8 (a file name) must not stop a report.
  const std::string dump = data_json(data).dump(-1, ' ', false, json::error_handler_t::replace);
  const std::pair<std::string_view, std::string> parts[] = {
      {"{{title}}", html_escaped(data.title)},
      {"{{style}}", std::string(embedded::report_style)},
      {"{{data}}", inside_script(dump)},
      {"{{chart_library}}", std::string(embedded::chart_library)},
      {"{{script}}", std::string(embedded::report_script)},
  };
  std::string page;
  std::string_view rest = embedded::report_page;
  for (const auto& [mark, text] : parts) {
    const std::size_t at = rest.find(mark);
    page.append(rest.substr(0, at)).append(text);
    rest.remove_prefix(at + mark.size());
  }
  return page.append(rest);
}

}  // namespace synfire::apps
