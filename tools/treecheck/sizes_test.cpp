// SPDX-License-Identifier: Apache-2.0
#include "treecheck/sizes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infiniedge::treecheck {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kLicence = "// SPDX-License-Identifier: Apache-2.0\n";

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "\n";
  return text;
}

std::vector<std::string> check(std::string_view file, const std::string& text) {
  std::vector<std::string> out;
  for (const auto& finding : check_source(file, text)) out.push_back(to_string(finding));
  return out;
}

TEST(Sizes, AFileMayHave600LinesAndNoMore) {
  EXPECT_THAT(check("src/store/a.cpp", kLicence + lines(599)), IsEmpty());
  EXPECT_THAT(check("src/store/a.cpp", kLicence + lines(600)),
              ElementsAre("src/store/a.cpp: file has 601 lines, the limit is 600"));
  EXPECT_THAT(check("console/src/a.tsx", kLicence + lines(600)), ElementsAre(HasSubstr("601")));
}

TEST(Sizes, AContractHeaderMayHave250) {
  EXPECT_THAT(check("include/infiniedge/a.hpp", kLicence + lines(249)), IsEmpty());
  EXPECT_THAT(check("include/infiniedge/a.hpp", kLicence + lines(250)),
              ElementsAre(HasSubstr("contract header has 251 lines")));
}

TEST(Sizes, AFunctionMayHave60) {
  EXPECT_THAT(check("src/a/a.cpp", kLicence + "void f() {\n" + lines(58) + "}\n"), IsEmpty());
  EXPECT_THAT(check("src/a/a.cpp", kLicence + "void f() {\n" + lines(59) + "}\n"),
              ElementsAre("src/a/a.cpp:2: function `void f()` has 61 lines, the limit is 60"));
}

TEST(Sizes, TheLicenceStandsFirst) {
  EXPECT_THAT(check("src/a/a.cpp", "\n" + kLicence), ElementsAre(HasSubstr("a.cpp:1: the first")));
  EXPECT_THAT(
      check("examples/a.py", "#!/usr/bin/env python3\n# SPDX-License-Identifier: Apache-2.0"),
      IsEmpty());
  EXPECT_THAT(check("examples/a.py", "#!/usr/bin/env python3\n"), ElementsAre(HasSubstr("SPDX")));
}

TEST(Sizes, NamesSayWhatIsInside) {
  EXPECT_THAT(check_name("src/base/bytes.hpp"), IsEmpty());
  EXPECT_THAT(check_name("src/device/http_common_test.cpp"), IsEmpty());
  EXPECT_EQ(check_name("src/utils/text.hpp").size(), 1U);
  EXPECT_EQ(check_name("src/base/helper.cpp").size(), 1U);
}

}  // namespace
}  // namespace infiniedge::treecheck
