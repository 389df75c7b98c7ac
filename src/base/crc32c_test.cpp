// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.hpp"

#include <gtest/gtest.h>

namespace infiniedge::base {
namespace {

TEST(Crc32c, MatchesPublishedVectors) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8A9136AAU);
}

TEST(Crc32c, ContinuesFromASeed) {
  const auto head = crc32c(as_bytes("12345"));
  EXPECT_EQ(crc32c(as_bytes("6789"), head), 0xE3069283U);
}

}  // namespace
}  // namespace infiniedge::base
