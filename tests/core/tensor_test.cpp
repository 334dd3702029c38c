#include "core/tensor.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/device.hpp"
#include "core/error.hpp"

using namespace synfire;

TEST_CASE("a new tensor is zero, aligned to a cache line, and as large as its shape") {
  for (const std::ptrdiff_t length : {1, 7, 64, 1000}) {
    const Tensor<float> tensor(Shape{length, 3});

    CHECK(tensor.size() == 3 * length);
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64 == 0);
    CHECK(std::all_of(tensor.span().begin(), tensor.span().end(), [](float v) { return v == 0.0F; }));
  }
}

TEST_CASE("a tensor without memory has no elements, whatever its shape says") {
  const Tensor<double> none;
  const Tensor<double> empty(Shape{4, 0});

  CHECK(none.size() == 0);
  CHECK(none.span().empty());
  CHECK(empty.size() == 0);
  CHECK(empty.view().empty());
  CHECK(empty.to(Device::cpu).shape() == Shape{4, 0});
}

TEST_CASE("moving a tensor moves its memory") {
  Tensor<float> first(Shape{3});
  first[1] = 5.0F;
  const float* memory = first.data();

  Tensor<float> second = std::move(first);
  Tensor<float> third(Shape{9});
  third = std::move(second);

  CHECK(third.data() == memory);
  CHECK(third.shape() == Shape{3});
  CHECK(third[1] == 5.0F);
}

TEST_CASE("a copy on a device is of its own memory") {
  Tensor<std::int32_t> first(Shape{2, 2});
  first[3] = 4;

  Tensor<std::int32_t> second = first.to(Device::cpu);
  second[0] = 1;

  CHECK(second[3] == 4);
  CHECK(first[0] == 0);
}

TEST_CASE("a view reads and writes the tensor's memory, and a reading view can be made from it") {
  Tensor<float> tensor(Shape{4});
  const View<float> view = tensor.view();
  const View<const float> reading = view;

  view[2] = 3.0F;

  CHECK(tensor[2] == 3.0F);
  CHECK(reading[2] == 3.0F);
  CHECK(reading.span().size() == 4);
  CHECK(View<float>{}.empty());
}

TEST_CASE("a shape whose bytes cannot be counted is a ShapeError, not a small tensor") {
  constexpr std::ptrdiff_t kQuarter = std::numeric_limits<std::ptrdiff_t>::max() / 4;

  CHECK(byte_count(Shape{kQuarter}, 4) == 4 * static_cast<std::size_t>(kQuarter));
  CHECK_THROWS_AS(byte_count(Shape{kQuarter + 1}, 4), ShapeError);
  CHECK_THROWS_AS(Tensor<float>(Shape{kQuarter + 1, 2}), ShapeError);
}

TEST_CASE("memory that cannot be had is a BackendError") {
  constexpr std::size_t kMoreThanThereIs = std::size_t{1} << 60U;

  CHECK_THROWS_AS(Buffer(kMoreThanThereIs, Device::cpu), BackendError);
}

TEST_CASE("values come back from the GPU as they went in; without a GPU, asking for it is a BackendError") {
  Tensor<float> host(Shape{3, 5});
  for (std::ptrdiff_t i = 0; i < host.size(); ++i) host[i] = static_cast<float>(i) + 0.5F;
  if (!cuda_available()) {
    MESSAGE("SKIPPED: no GPU, only the error is tested");
    CHECK_THROWS_AS(host.to(Device::cuda), BackendError);
    return;
  }

  const Tensor<float> back = host.to(Device::cuda).to(Device::cuda).to(Device::cpu);

  CHECK(std::equal(host.span().begin(), host.span().end(), back.span().begin(), back.span().end()));
}
