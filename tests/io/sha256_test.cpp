#include "engine/io/sha256.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/io/file.h"
#include "tests/io/temporary_folder.h"

namespace graft {
namespace {

// Examples of FIPS 180-2, appendix B, and of NIST's test vectors.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, OfAFileAndOfPiecesIsThatOfTheWhole) {
  const TemporaryFolder folder;
  const std::string million(1'000'000, 'a');
  const std::string digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  write_text_atomically(folder / "a", million);
  EXPECT_EQ(sha256_file(folder / "a"), digest);
  Sha256 pieces;
  for (int i = 0; i < 1000; ++i) pieces.update(std::string(1000, 'a'));
  EXPECT_EQ(pieces.hex(), digest);
}

TEST(Sha256, NamesAMissingFile) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::data, {"absent", "no such file"}, [&] { sha256_file(folder / "absent"); });
}

}  // namespace
}  // namespace graft
