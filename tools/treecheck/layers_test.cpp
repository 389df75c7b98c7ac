// SPDX-License-Identifier: Apache-2.0
#include "treecheck/layers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infiniedge::treecheck {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Modules kModules = parse_modules(
    "base: \nruntime: base\nrecord: runtime\nstore: record\nstream: record\ndecision: record\n");

std::vector<std::string> messages(const Findings& findings) {
  std::vector<std::string> out;
  for (const auto& finding : findings) out.push_back(to_string(finding));
  return out;
}

std::vector<std::string> include(std::string_view file, std::string_view line) {
  return messages(check_includes(file, line, kModules));
}

TEST(Layers, ReadsTheModuleList) {
  const auto modules = parse_modules("base: \nstore: runtime record\n");
  EXPECT_THAT(modules.at("base"), IsEmpty());
  EXPECT_THAT(modules.at("store"), ElementsAre("record", "runtime"));
}

TEST(Layers, LeftwardsIsAllowedThroughTheClosure) {
  EXPECT_THAT(include("src/store/log.cpp", "#include \"record/batch.hpp\"\n"), IsEmpty());
  EXPECT_THAT(include("src/store/log.cpp", "#include \"base/bytes.hpp\"\n"), IsEmpty());
  EXPECT_THAT(include("src/store/log.cpp", "#include \"store/segment.hpp\"\n"), IsEmpty());
  EXPECT_THAT(include("src/store/log.cpp", "#include \"infiniedge/result.hpp\"\n"), IsEmpty());
  EXPECT_THAT(include("src/store/log.cpp", "#include <model/outside.h>\n"), IsEmpty());
}

TEST(Layers, RightwardsIsRefused) {
  EXPECT_THAT(include("src/base/bytes.hpp", "#include <span>\n#include \"runtime/log.hpp\"\n"),
              ElementsAre("src/base/bytes.hpp:2: base may not use runtime: it stands further right "
                          "in the module rule"));
}

TEST(Layers, SiblingsAreRefused) {
  EXPECT_THAT(include("src/store/log.cpp", "  #  include \"stream/plan.hpp\"\n"),
              ElementsAre(HasSubstr("siblings meet only through include/infiniedge/")));
}

TEST(Layers, AnUndeclaredDependencyIsRefused) {
  EXPECT_THAT(include("src/decision/gate.cpp", "#include \"store/log.hpp\"\n"),
              ElementsAre(HasSubstr("DEPENDS ...) does not name")));
}

TEST(Layers, TheContractIncludesNoModule) {
  EXPECT_THAT(include("include/infiniedge/sink.hpp", "#include \"base/bytes.hpp\"\n"),
              ElementsAre(HasSubstr("never base")));
}

TEST(Layers, PathsStartAtTheRootAndOurHeadersStandInQuotes) {
  EXPECT_THAT(include("src/store/log.cpp", "#include \"segment.hpp\"\n"),
              ElementsAre(HasSubstr("write the path from src/")));
  EXPECT_THAT(include("src/store/log.cpp", "#include \"../base/bytes.hpp\"\n"),
              ElementsAre(HasSubstr("write the path from src/")));
  EXPECT_THAT(include("src/store/log.cpp", "#include <infiniedge/result.hpp>\n"),
              ElementsAre(HasSubstr("in quotes")));
  EXPECT_THAT(include("src/store/log.cpp", "#include \"utils/text.hpp\"\n"),
              ElementsAre(HasSubstr("no such module")));
}

TEST(Layers, AFeatureTestBelongsIntoBuiltin) {
  constexpr std::string_view kLine = "#if defined(INFINIEDGE_WITH_MODBUS)\n";
  EXPECT_THAT(include("src/app/main.cpp", kLine), ElementsAre(HasSubstr("builtin.cpp only")));
  EXPECT_THAT(include("src/app/builtin.cpp", kLine), IsEmpty());
}

TEST(Layers, DeclarationsFollowTheModuleRuleToo) {
  const auto modules = parse_modules("base: store\nstore: stream\nhelper: base\nmodel: nowhere\n");
  EXPECT_THAT(messages(check_declarations(modules)),
              ElementsAre(HasSubstr("src/base/CMakeLists.txt: base may not use store"),
                          HasSubstr("helper has no place"), HasSubstr("no such module"),
                          HasSubstr("siblings")));
}

}  // namespace
}  // namespace infiniedge::treecheck
