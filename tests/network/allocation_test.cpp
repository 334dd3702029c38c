// A program of its own: it counts every allocation of the process.
#include <atomic>
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "core/parallel.hpp"
#include "network/clocked_runtime.hpp"
#include "tests/network/scan_networks.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/count_allocations.hpp"

// With glibc also what does not come from operator new: Buffer, and the task pools of oneTBB. A sanitizer has a malloc
// of its own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SYNFIRE_COUNTS_MALLOC 1
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);

static std::atomic<long> num_malloc{0};

void* malloc(std::size_t bytes) {
  ++num_malloc;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++num_malloc;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  ++num_malloc;
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++num_malloc;
  return __libc_memalign(alignment, bytes);
}
}
#endif

using namespace synfire;
using namespace synfire::network;

namespace {

/// Allocations of one training step and one evaluation, after `warm_up` of each.
struct Count {
  long of_new = 0;
  long of_malloc = 0;
};

Count allocations_of_a_step(const std::string& toml, const Shape& tick, int warm_up) {
  Network<float> net = build<float>(test::spec_of(toml), tick, 5);
  ClockedRuntime<float> runtime(net);
  const auto x = test::random_tensor<float>(test::over_time(tick, 5, 6), 8, 0.0, 2.0);
  const Tensor<float> grad(test::over_time(net.node_shapes.back(), 5, 6));
  const auto step = [&](std::uint32_t number) {
    runtime.forward(x.view(), Mode::eval, {1, number});
    runtime.forward(x.view(), Mode::train, {1, number});
    runtime.backward(grad.view());
  };

  for (int i = 0; i < warm_up; ++i) step(static_cast<std::uint32_t>(i));
  Count before{test::num_allocations(), 0}, after;
#ifdef SYNFIRE_COUNTS_MALLOC
  before.of_malloc = num_malloc;
#endif
  step(99);
  after.of_new = test::num_allocations();
#ifdef SYNFIRE_COUNTS_MALLOC
  after.of_malloc = num_malloc;
#endif
  return {after.of_new - before.of_new, after.of_malloc - before.of_malloc};
}

}  // namespace

TEST_CASE("the counter sees an allocation") {
  const long before = test::num_allocations();
  int* volatile memory = new int(1);  // volatile: or the pair may be optimised away
  delete memory;
  CHECK(test::num_allocations() == before + 1);
}

TEST_CASE("a step allocates nothing once it is planned") {
  for (const auto& [toml, tick] : {std::pair(test::kChain, test::kChainInput),
                                   {test::kResidual, test::kResidualInput},
                                   {test::kRecurrent, test::kRecurrentInput},
                                   {test::kRecurrentAdaptive, test::kRecurrentInput},
                                   {test::kRowNeurons, test::kRowNeuronsInput},
                                   {test::kTokens, test::kTokensInput},
                                   {test::scan_network("tokens"), test::kScanInput}}) {
    set_num_threads(1);
    const Count one = allocations_of_a_step(toml, tick, 1);
    CHECK(one.of_new == 0);
    CHECK(one.of_malloc == 0);

    // oneTBB makes its tasks from pools that fill as they are needed, differently in every run; it does not use
    // operator new for them.
    set_num_threads(2);
    CHECK(allocations_of_a_step(toml, tick, 2).of_new == 0);
    set_num_threads(0);
  }
}
