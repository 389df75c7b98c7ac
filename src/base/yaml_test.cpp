// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.hpp"

#include <gtest/gtest.h>

namespace infiniedge::base::yaml {
namespace {

TEST(Yaml, KeepsPositionsOfKeysAndValues) {
  const auto parsed = parse("devices:\n  pump-7:\n    every: 250ms\n", "site.yaml");
  ASSERT_TRUE(parsed.diagnostics.empty());
  ASSERT_EQ(parsed.documents.size(), 1U);
  const auto& every = *parsed.documents[0].find("devices")->find("pump-7")->entry("every");
  EXPECT_EQ(every.mark.line, 3);
  EXPECT_EQ(every.mark.column, 5);
  EXPECT_EQ(every.mark.end, 10);
  EXPECT_EQ(every.value.text, "250ms");
  EXPECT_EQ(every.value.mark.column, 12);
}

TEST(Yaml, ReadsSeveralDocumentsAndJson) {
  const auto parsed = parse("{\"a\": [1, \"NO\"]}\n---\nb: |\n  x\n  y\n", "f");
  ASSERT_TRUE(parsed.diagnostics.empty()) << parsed.diagnostics[0].message;
  ASSERT_EQ(parsed.documents.size(), 2U);
  EXPECT_EQ(parsed.documents[0].find("a")->items[1].text, "NO");
  EXPECT_FALSE(parsed.documents[0].find("a")->items[1].plain);
  EXPECT_TRUE(parsed.documents[1].find("b")->block);
  EXPECT_EQ(parsed.documents[1].find("b")->text, "x\ny\n");
}

TEST(Yaml, ABlocksMarkIsItsFirstLine) {
  const auto parsed = parse("a:\n  sql: |\n    SELECT\n    x\n---\n", "f");
  ASSERT_EQ(parsed.documents.size(), 2U);
  const auto& sql = *parsed.documents[0].find("a")->find("sql");
  EXPECT_EQ(sql.mark.line, 3);
  EXPECT_EQ(sql.mark.column, 5);
  EXPECT_TRUE(parsed.documents[1].is_null());
}

TEST(Yaml, NamesBothPlacesOfADuplicateKey) {
  const auto parsed = parse("a: 1\nb: 2\na: 3\n", "f");
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(parsed.diagnostics[0].id, "duplicate-key");
  EXPECT_EQ(parsed.diagnostics[0].line, 3);
  EXPECT_NE(parsed.diagnostics[0].message.find("line 1"), std::string::npos);
}

TEST(Yaml, PointsAtASyntaxError) {
  const auto parsed = parse("a: 1\nb: [1, 2\nc: 3\n", "f");
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(parsed.diagnostics[0].id, "syntax");
}

TEST(Yaml, ResolvesAliasesAndMergeKeys) {
  const auto parsed = parse("d: &d {x: 1, y: 2}\ne:\n  <<: *d\n  y: 3\n", "f");
  ASSERT_TRUE(parsed.diagnostics.empty());
  const auto& e = *parsed.documents[0].find("e");
  EXPECT_EQ(e.find("x")->text, "1");
  EXPECT_EQ(e.find("y")->text, "3");
}

TEST(Yaml, StopsABillionLaughs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  const auto parsed = parse(text, "f");
  ASSERT_FALSE(parsed.diagnostics.empty());
  EXPECT_NE(parsed.diagnostics.back().message.find("values"), std::string::npos);
}

TEST(Yaml, RefusesBytesThatAreNotText) {
  EXPECT_EQ(parse("a: \xff\n", "f").diagnostics[0].column, 4);
  EXPECT_EQ(parse("a: 1\nb: \x01\n", "f").diagnostics[0].line, 2);
}

TEST(Yaml, RefusesDeepNestingWithoutCrashing) {
  EXPECT_FALSE(parse(std::string(5000, '['), "f").diagnostics.empty());
}

}  // namespace
}  // namespace infiniedge::base::yaml
