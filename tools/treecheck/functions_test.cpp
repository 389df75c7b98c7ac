// SPDX-License-Identifier: Apache-2.0
#include "treecheck/functions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infiniedge::treecheck {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> found(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& function : find_functions(text)) {
    out.push_back(std::to_string(function.line) + "+" + std::to_string(function.lines) + " " +
                  function.signature);
  }
  return out;
}

TEST(BlankOut, RemovesCommentsLiteralsAndDirectives) {
  EXPECT_EQ(blank_out("a; // {\nb /* {\n} */ c"), "a;     \nb     \n     c");
  EXPECT_EQ(blank_out("f(\"{\\\"\", '{');"), "f(     ,    );");
  EXPECT_EQ(blank_out("x = R\"q({)\" )q\";"), "x = R          ;");
  EXPECT_EQ(blank_out("#define A \\\n  {\nb"), "           \n   \nb");
}

TEST(BlankOut, TellsDigitSeparatorsFromCharacters) {
  EXPECT_EQ(blank_out("1'000'000 {"), "1'000'000 {");
  EXPECT_EQ(blank_out("case 'a': {"), "case    : {");
}

TEST(Functions, AreMeasuredFromSignatureToBrace) {
  EXPECT_THAT(found("int f() { return 1; }\n"), ElementsAre("1+1 int f()"));
  EXPECT_THAT(found("namespace n {\n\nvoid\ng(int a) {\n  if (a) {\n  }\n}\n}\n"),
              ElementsAre("3+5 void g(int a)"));
}

TEST(Functions, OfClassesAreFoundBehindAccessLabels) {
  EXPECT_THAT(found("class A final : public B<int> {\n public:\n  A() = default;\n"
                    "  int get() const noexcept {\n    return a_;\n  }\n\n private:\n  int a_{1};\n"
                    "};\n"),
              ElementsAre("4+3 int get() const noexcept"));
}

TEST(Functions, KeepTheirInitialiserList) {
  EXPECT_THAT(found("A::A(int x)\n    : a_{x},\n      b_(x),\n      c_{1} {\n  go();\n}\n"),
              ElementsAre("1+6 A::A(int x) : a_"));
}

TEST(Functions, KeepInitialisersWithBracesAmongTheirArguments) {
  EXPECT_THAT(
      found("A::A(M& m)\n    : a_(m.counter(x, {{1, 2}})),\n      b_([] { return 1; }) {\n}\n"
            "void f() {}\n"),
      ElementsAre("1+4 A::A(M& m) : a_(m.counter(x,", "5+1 void f()"));
}

TEST(Functions, ContainTheirLambdasAndLocalClasses) {
  EXPECT_THAT(found("void f() {\n  auto g = [](int a) {\n    return a;\n  };\n  struct S { int x() "
                    "{ return 1; } };\n}\nvoid h() {}\n"),
              ElementsAre("1+6 void f()", "7+1 void h()"));
}

TEST(Functions, AreNotTablesEnumsOrInitialisers) {
  EXPECT_THAT(
      found("enum class E { A, B };\nconstexpr int kTable[] = {f(1), 2};\n"
            "const std::map<int, int> kMap{{1, 2}, {3, 4}};\nconst auto x = g(1) + Y{2};\n"),
      IsEmpty());
}

TEST(Functions, MayBeTemplatesOperatorsAndTests) {
  EXPECT_THAT(found("template <class T, int N = 3>\nT max(T a) {\n  return a;\n}\n"),
              ElementsAre("1+4 template <class T, int N = 3> T max(T a)"));
  EXPECT_THAT(found("A& A::operator=(const A& a) {\n  return *this;\n}\n"),
              ElementsAre("1+3 A& A::operator=(const A& a)"));
  EXPECT_THAT(found("TEST(Wal, TornTailIsCutOnOpen) {\n\n}\n"),
              ElementsAre("1+3 TEST(Wal, TornTailIsCutOnOpen)"));
  EXPECT_THAT(found("auto f(int a = 1) -> decltype(a) {\n}\n"),
              ElementsAre("1+2 auto f(int a = 1) -> decltype(a)"));
}

TEST(Functions, SurviveAForLoopAndABraceInText) {
  EXPECT_THAT(
      found("void f() {\n  for (int i = 0; i < 3; ++i) g(\"}\");\n}\nint b() { return '}'; }\n"),
      ElementsAre("1+3 void f()", "4+1 int b()"));
}

}  // namespace
}  // namespace infiniedge::treecheck
