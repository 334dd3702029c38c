#include "network/weights_io.hpp"

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

std::string problem(const std::filesystem::path& file, Network<float>& net) {
  try {
    read_weights(file, net);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

bool same(const Network<float>& a, const Network<float>& b) {
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    if (!std::equal(a.tensors[i].value.span().begin(), a.tensors[i].value.span().end(),
                    b.tensors[i].value.span().begin())) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("weights come back from a file bit for bit") {
  const test::TemporaryFolder folder;
  const NetworkSpec spec = test::spec_of(test::kChain);
  const Network<float> net = build<float>(spec, test::kChainInput, 3);
  Network<float> other = build<float>(spec, test::kChainInput, 4);
  REQUIRE_FALSE(same(net, other));

  write_weights(folder.path() / "net.h5", net);
  read_weights(folder.path() / "net.h5", other);

  CHECK(same(net, other));
}

TEST_CASE("weights of another network are refused by tensor, and nothing changes") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "net.h5";
  const NetworkSpec spec = test::spec_of(test::kChain);
  write_weights(file, build<float>(spec, test::kChainInput, 3));

  NetworkSpec wider = spec, renamed = spec, shorter = spec;
  std::get<LinearSpec>(wider.nodes[10].operation).out_features = 12;
  std::get<LinearSpec>(wider.nodes[12].operation).out_features = 6;
  renamed.nodes[12].name = "fc3";
  renamed.nodes[13].inputs = {"fc3"};
  std::get<LinearSpec>(shorter.nodes[12].operation).bias = false;
  Network<float> net_wider = build<float>(wider, test::kChainInput, 4);
  Network<float> net_renamed = build<float>(renamed, test::kChainInput, 4);
  Network<float> net_shorter = build<float>(shorter, test::kChainInput, 4);

  CHECK(problem(file, net_wider).find("net.h5: weights/fc1.weight: has the shape [6, 4], the network's is [12, 4]") !=
        std::string::npos);
  CHECK(problem(file, net_renamed).find("weights/fc3.weight: is missing") != std::string::npos);
  CHECK(problem(file, net_shorter).find("weights/fc2.bias: the network has no such tensor") != std::string::npos);
  CHECK(same(net_renamed, build<float>(renamed, test::kChainInput, 4)));
  CHECK_THROWS_AS(read_weights(folder.path() / "none.h5", net_wider), FileError);
}
