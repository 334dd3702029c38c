// The selective scan against PyTorch: tests/data/selective_scan_torch has the numbers and the script.
#include <array>
#include <string>

#include <doctest/doctest.h>

#include "tests/network/golden_file.hpp"
#include "tests/neurons/scan_run.hpp"

using namespace synfire;

TEST_CASE_TEMPLATE("the selective scan and its gradients are those of PyTorch", Scalar, float, double) {
  const Hdf5File file = test::open_golden("selective_scan_torch/scan.h5");
  int cases = 0;
  for (const std::string size : {"odd", "one_tick", "one_token", "long_clip", "long_time"}) {
    for (const SequenceOrder order : test::all_orders()) {
      const std::string name = size + "/" + test::order_text(order) + "/";
      if (!file.has(name + "u")) continue;
      ++cases;
      CAPTURE(name);
      const auto read = [&](const std::string& key) { return file.read<double>(name + key); };
      test::ScanProblem problem{
          file.shape(name + "u"), order, file.shape(name + "a_log")[1], {}, read("grad_y"), false, {}, {}};
      problem.values = {read("u"), read("delta"), read("bc"), read("a_log"), read("d"), read("dt_bias")};

      const auto result = test::run_scan<Scalar>(problem);

      const auto check = [&](const std::string& key, const std::vector<Scalar>& ours) {
        CAPTURE(key);
        const auto theirs = test::read_golden<double>(file, name + key);
        const Tensor<Scalar> tensor = test::tensor_from<Scalar>({ours.begin(), ours.end()}, theirs.shape());
        const auto [largest, error] = test::difference<Scalar>(theirs, tensor.view());
        // Of one token nothing decays.
        CHECK((largest > 1e-5 || Sequences(problem.u, order).length() == 1));
        CHECK(error <= 1e-5 * largest);
      };
      check("y", result.y);
      static constexpr std::array<const char*, 6> kGradients{"grad_alone/u", "grad/delta", "grad/bc",
                                                             "grad/a_log",   "grad/d",     "grad/dt_bias"};
      for (std::size_t k = 0; k < kGradients.size(); ++k) check(kGradients[k], result.gradients[k]);
    }
  }
  CHECK(cases == 18);
}
