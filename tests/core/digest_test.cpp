#include "core/digest.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace synfire;

// The first three are the examples of FIPS 180-2, appendix B.
TEST_CASE("SHA-256 gives the digests of the standard's examples") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("the digest does not depend on how the bytes are cut into pieces") {
  Sha256 digest;
  digest.update("a");
  digest.update("");
  digest.update("bc");

  CHECK(digest.hex() == sha256("abc"));
}

TEST_CASE("a file has the digest of its content, however long") {
  const test::TemporaryFolder folder;
  const std::string content(3000000, 'x');
  write_file_atomically(folder / "a", content);

  CHECK(sha256_file(folder / "a") == sha256(content));
  CHECK_THROWS_AS(sha256_file(folder / "none"), FileError);
  CHECK_THROWS_AS(sha256_file(folder.path()), FileError);
}
