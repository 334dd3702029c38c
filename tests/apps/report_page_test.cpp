#include <array>
#include <cstdio>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "apps/report/report.hpp"
#include "tests/apps/program.hpp"

namespace synfire {
namespace {

apps::ReportData example_report() {
  apps::ReportData data;
  data.title = "tiny </script><b>";
  data.subtitle = "two classes";
  data.figures = {{"91.7 %", "test accuracy"}};
  data.delays = {{"conv1", {2, 1, 0}, {0, 1, 2}}};
  data.epochs_json =
      R"([{"epoch":1,"bump_width":12,"train_loss":0.7,"train_accuracy":0.5,"validation_loss":null,"validation_accuracy":null,"learning_rate":0.01,"firing_rates":{"lif1":0.1}},
          {"epoch":2,"bump_width":3,"train_loss":0.4,"train_accuracy":0.9,"validation_loss":0.5,"validation_accuracy":0.8,"learning_rate":0.02,"firing_rates":{"lif1":0.2}}])";
  data.split = "test";
  data.classes = {"left", "right"};
  data.confusion = {{5, 1}, {0, 6}};
  data.energy = {{{"layer", "total"}, {"conv1", "1.2 nJ"}}, {{"layer", "Dense"}, {"conv1", "100"}}, {"two samples"}};
  data.layers = {{"layer", "type"}, {"conv1", "conv2d"}};
  data.config = "seed = 1 # </script>";
  data.environment = {{"threads", "2"}};
  return data;
}

TEST_CASE("the report loads nothing, and text cannot end its scripts") {
  const std::string page = apps::report_html(example_report());

  CHECK(page.find("http-equiv") == std::string::npos);
  CHECK(page.find("<link") == std::string::npos);
  CHECK(page.find("<script src") == std::string::npos);
  const std::size_t data = page.find("id=\"run-data\"");
  CHECK(page.substr(data, page.find("</script>", data) - data).find("\"environment\"") != std::string::npos);
}

TEST_CASE("a browser draws every chart of the report") {
  if (std::string(SYNFIRE_BROWSER).empty()) {
    MESSAGE("SKIPPED: no chromium to draw the report with");
    return;
  }
  const test::Scratch scratch;
  const auto page = scratch / "report.html";
  std::ofstream(page) << apps::report_html(example_report());

  const std::string command =
      std::string(SYNFIRE_BROWSER) +
      " --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --virtual-time-budget=5000"
      " --user-data-dir=" +
      (scratch / "profile").string() + " --dump-dom file://" + page.string() + " 2>/dev/null";
  std::string dom;
  std::FILE* const pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) dom += buffer.data();
  pclose(pipe);

  CHECK(dom.find("data-drawn=\"7\"") != std::string::npos);  // five curves, the delays and the classes
  CHECK(dom.find("tiny &lt;/script&gt;") != std::string::npos);
  CHECK(dom.find("<td>1.2 nJ</td>") != std::string::npos);
}

}  // namespace
}  // namespace synfire
