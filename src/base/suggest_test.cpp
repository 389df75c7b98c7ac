// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.hpp"

#include <gtest/gtest.h>

namespace infiniedge::base {
namespace {

const std::vector<std::string> kNames{"points", "address", "every", "max_batch", "unit"};

TEST(Suggest, FindsASwapADropAndAnotherSpelling) {
  EXPECT_EQ(suggest("piont", kNames), std::nullopt);  // two edits in six letters is too far
  EXPECT_EQ(suggest("ponits", kNames), "points");
  EXPECT_EQ(suggest("ponts", kNames), "points");
  EXPECT_EQ(suggest("maxBatch", kNames), "max_batch");
}

TEST(Suggest, PrefersAnAliasOverANearMiss) {
  constexpr std::string_view kAliases[] = {"interval"};
  const Candidate candidates[] = {{.name = "internal"}, {.name = "every", .aliases = kAliases}};
  EXPECT_EQ(suggest("interval", candidates), "every");
}

TEST(Suggest, PrefersWhatIsRequiredAndMissing) {
  const Candidate candidates[] = {{.name = "cat"}, {.name = "car", .required_and_missing = true}};
  EXPECT_EQ(suggest("caz", candidates), "car");
}

TEST(Suggest, SaysNothingAboutUnrelatedWords) {
  EXPECT_EQ(suggest("telescope", kNames), std::nullopt);
}

}  // namespace
}  // namespace infiniedge::base
