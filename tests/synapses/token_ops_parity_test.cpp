// Operations on tokens against PyTorch: tests/data/token_ops_pytorch has the numbers and the script.
#include <cmath>
#include <string>
#include <vector>

#include "synapses/activation.hpp"
#include "synapses/depthwise_conv2d.hpp"
#include "synapses/layer_norm.hpp"
#include "tests/network/golden_file.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

/// One operation: what goes in, and what PyTorch makes of it.
template <class Scalar>
struct Golden {
  const Hdf5File& file;
  std::string name;
  double tolerance;  ///< of the largest element

  Tensor<Scalar> read(const char* key) const { return test::read_golden<Scalar>(file, name + "/" + key); }
  void compare(const char* key, const Tensor<Scalar>& ours) const {
    CAPTURE(name);
    CAPTURE(std::string(key));
    const auto [largest, error] =
        test::difference<Scalar>(test::read_golden<double>(file, name + "/" + key), ours.view());
    CHECK(largest > 0.1);
    CHECK(error <= tolerance * largest);
  }
};

template <class Scalar>
void compare_all(double tolerance) {
  const Hdf5File file = test::open_golden("token_ops_pytorch/ops.h5");
  for (const std::string name : {"depthwise3", "depthwise5"}) {
    const Golden<Scalar> golden{file, name, tolerance};
    const auto x = golden.read("x"), w = golden.read("w"), b = golden.read("b"), grad_y = golden.read("grad_y");
    Tensor<Scalar> y(x.shape()), grad_w(w.shape()), grad_b(b.shape()), grad_x(x.shape());
    const int kernel = static_cast<int>(w.shape()[2]);
    std::vector<std::byte> scratch(synapses::depthwise_conv2d_scratch_bytes<Scalar>(x.shape().drop_front(1), kernel));
    synapses::depthwise_conv2d_forward<Scalar>(test::signal_of(x), w.view(), b.view(), y.view(), scratch);
    synapses::depthwise_conv2d_backward<Scalar>(test::signal_of(x), w.view(), grad_y.view(), grad_w.view(),
                                                grad_b.view(), grad_x.view(), scratch);
    golden.compare("y", y);
    golden.compare("grad_w", grad_w);
    golden.compare("grad_b", grad_b);
    golden.compare("grad_x", grad_x);
  }
  {
    const Golden<Scalar> golden{file, "layer_norm", tolerance};
    const auto x = golden.read("x"), w = golden.read("w"), b = golden.read("b"), grad_y = golden.read("grad_y");
    Tensor<Scalar> y(x.shape()), grad_w(w.shape()), grad_b(b.shape()), grad_x(x.shape());
    Tensor<Scalar> mean(Shape{x.size() / w.size()}), inverse_std(mean.shape());
    std::vector<std::byte> scratch(synapses::layer_norm_scratch_bytes(w.size()));
    const synapses::LayerNormRows<Scalar> rows{mean.view(), inverse_std.view()};
    synapses::layer_norm_forward<Scalar>(x.view(), w.view(), b.view(), 1e-5, rows, y.view());
    synapses::layer_norm_backward<Scalar>(x.view(), w.view(), rows, grad_y.view(), grad_w.view(), grad_b.view(),
                                          grad_x.view(), scratch);
    golden.compare("y", y);
    golden.compare("grad_w", grad_w);
    golden.compare("grad_b", grad_b);
    golden.compare("grad_x", grad_x);
  }
  for (const auto function : {synapses::Activation::silu, synapses::Activation::gelu}) {
    const Golden<Scalar> golden{file, function == synapses::Activation::silu ? "silu" : "gelu", tolerance};
    const auto x = golden.read("x"), grad_y = golden.read("grad_y");
    Tensor<Scalar> y(x.shape()), grad_x(x.shape());
    synapses::activation_forward<Scalar>(function, x.view(), y.view());
    synapses::activation_backward<Scalar>(function, x.view(), grad_y.view(), grad_x.view());
    golden.compare("y", y);
    golden.compare("grad_x", grad_x);
  }
}

}  // namespace

TEST_CASE("operations on tokens give the outputs and gradients of PyTorch") {
  // Sums of at most 60 terms, a few dozen roundings beside them.
  compare_all<double>(100.0 * test::unit_roundoff<double>);
  compare_all<float>(100.0 * test::unit_roundoff<float>);
}

}  // namespace synfire
