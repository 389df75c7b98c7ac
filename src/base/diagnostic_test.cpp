// SPDX-License-Identifier: Apache-2.0
#include "base/diagnostic.hpp"

#include <gtest/gtest.h>

namespace infiniedge::base {
namespace {

TEST(Diagnostic, PrintsGnuFormWithCaretSuggestionAndHelp) {
  const Diagnostic d{.file = "site.yaml",
                     .line = 2,
                     .column = 3,
                     .end = 8,
                     .id = "unknown-field",
                     .message = "unknown field \"ponts\" in Device pump-7",
                     .suggestion = "points",
                     .help = "infiniedge explain device"};
  EXPECT_EQ(format(d, "a:\n  ponts:\n"),
            "site.yaml:2:3: error: unknown field \"ponts\" in Device pump-7 [unknown-field]\n"
            "   2 |   ponts:\n"
            "     |   ^~~~~ did you mean \"points\"?\n"
            "   help: infiniedge explain device\n");
}

TEST(Diagnostic, CopiesTabsAndCountsCodePoints) {
  const Diagnostic d{.line = 1, .column = 4, .end = 5, .id = "x", .message = "m"};
  EXPECT_EQ(format(d, "\té z"), "1:4: error: m [x]\n   1 | \té z\n     | \t  ^\n");
}

TEST(Diagnostic, SurvivesAPositionPastTheText) {
  const Diagnostic d{.line = 99, .column = 500, .end = 600, .id = "x", .message = "m"};
  EXPECT_NE(format(d, "short").find("99:500"), std::string::npos);
}

}  // namespace
}  // namespace infiniedge::base
