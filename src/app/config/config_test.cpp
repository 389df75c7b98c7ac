// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/config/canonical.hpp"
#include "app/config/scalar.hpp"
#include "app/config/validate.hpp"
#include "app/parts.hpp"

namespace infiniedge::app::config {
namespace {

Validated judge(const std::string& text) {
  const BuiltinParts parts;
  const Secrets secrets({});
  return validate(load_body(text, "site.yaml"), parts, secrets, {.environment = false});
}

/// tests/broken/*.yaml start with `# expect: LINE ID WORD`: the first error stands on LINE, has
/// ID, and its suggestion or message holds WORD.
class Broken : public testing::TestWithParam<std::string> {};

TEST_P(Broken, IsBlamedOnTheRightLineWithARightSuggestion) {
  std::ifstream file(GetParam());
  std::stringstream text;
  text << file.rdbuf();
  std::string hash, expect, id, word;
  int line = 0;
  text >> hash >> expect >> line >> id >> word;
  const BuiltinParts parts;
  const Secrets secrets({});
  const auto validated =
      validate(load({GetParam()}, process_environment()), parts, secrets, {.environment = false});
  ASSERT_FALSE(validated.good());
  const auto& found = validated.loaded.diagnostics[0];
  SCOPED_TRACE(report(validated.loaded));
  EXPECT_EQ(found.line, line);
  EXPECT_EQ(found.id, id);
  EXPECT_NE((found.suggestion + found.message).find(word), std::string::npos);
}

std::vector<std::string> broken_files() {
  std::vector<std::string> out;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string{INFINIEDGE_SOURCE_DIR} + "/tests/broken")) {
    out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Files, Broken, testing::ValuesIn(broken_files()), [](const auto& info) {
  auto name = std::filesystem::path(info.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

constexpr const char* kSite = R"(infiniedge: v1
devices:
  pump-7:
    connector: modbus
    address: tcp://10.0.0.21:502
    every: 250ms
    points:
    - {name: vib, address: "ir:0", type: uint16, scale: 0.01, unit: mm/s, range: [0, 50]}
    - {name: temp, address: "ir:2", type: float32, resolution: 0.1}
    - {name: speed, address: "hr:10", type: uint16, write: {min: 0, max: 1500, step: 10}}
streams:
  pump-health:
    sql: |
      SELECT avg(vib) AS vib, max(temp) AS temp FROM pump_7 GROUP BY TUMBLE(10s)
    act:
    - {when: temp > 110, write: {device: pump-7, point: speed, value: "0"}}
)";

TEST(Config, AGoodSiteBecomesTyped) {
  const auto validated = judge(kSite);
  ASSERT_TRUE(validated.good()) << report(validated.loaded);
  ASSERT_EQ(validated.site.devices.size(), 1U);
  const auto& device = validated.site.devices[0].spec;
  EXPECT_EQ(device.every, Millis{250});
  EXPECT_EQ(device.points[0].field.type, Type::Float);
  EXPECT_EQ(device.points[1].field.type, Type::Decimal);
  EXPECT_EQ(device.points[2].field.type, Type::Int);
  EXPECT_EQ(device.points[2].write->max, 1500);
  EXPECT_EQ(device.schema->stream, "pump_7");
}

TEST(Config, BothSpellingsMeanTheSame) {
  const auto first = judge(kSite);
  std::string full;
  for (const auto& resource : first.loaded.resources)
    full += resource_json(resource, 0) + "\n---\n";
  const auto second = judge(full);
  ASSERT_TRUE(second.good()) << report(second.loaded);
  ASSERT_EQ(second.loaded.resources.size(), first.loaded.resources.size());
  for (std::size_t i = 0; i < first.loaded.resources.size(); ++i) {
    EXPECT_EQ(spec_hash(first.loaded.resources[i]), spec_hash(second.loaded.resources[i]));
  }
}

TEST(Config, AStreamThatReadsItselfIsACycle) {
  const auto validated =
      judge("infiniedge: v1\nstreams:\n  a: {sql: SELECT x FROM b}\n  b: {sql: SELECT x FROM a}\n");
  ASSERT_FALSE(validated.good());
  EXPECT_EQ(validated.loaded.diagnostics[0].id, "cycle");
}

TEST(Config, EnvironmentIsPutInAfterParsing) {
  const auto path = testing::TempDir() + "/infiniedge-env.yaml";
  std::ofstream(path) << "infiniedge: v1\ndevices:\n  a:\n    connector: modbus\n    address: "
                         "tcp://${HOST:-h}:${PORT}\n"
                         "    points: [{name: x, address: \"ir:0\"}]\n";
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "PORT") return "502\n  evil: true";
    return std::nullopt;
  };
  const auto loaded = load({path}, environment);
  ASSERT_TRUE(loaded.diagnostics.empty());
  EXPECT_EQ(loaded.resources[0].spec.find("address")->text, "tcp://h:502\n  evil: true");
  EXPECT_EQ(loaded.resources[0].spec.find("evil"), nullptr);
}

TEST(Config, AnUnsetVariableIsNamed) {
  const auto path = testing::TempDir() + "/infiniedge-unset.yaml";
  std::ofstream(path)
      << "infiniedge: v1\ndevices:\n  a: {connector: modbus, address: \"${NOWHERE}\"}\n";
  const auto loaded = load({path}, [](const std::string&) { return std::nullopt; });
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].id, "unresolved-env");
  EXPECT_EQ(loaded.diagnostics[0].line, 3);
}

TEST(Scalar, ReadsDurationsAndRefusesBareNumbers) {
  EXPECT_EQ(*parse_duration("1m30s"), Seconds{90});
  EXPECT_EQ(*parse_duration("250ms"), Millis{250});
  EXPECT_NE(parse_duration("250").error().message().find("250s"), std::string::npos);
  EXPECT_FALSE(parse_duration("99999999999999999999d"));
  EXPECT_EQ(format_duration(Seconds{90}), "1m30s");
}

TEST(Scalar, ReadsSizes) {
  EXPECT_EQ(*parse_bytes("64Ki"), 65536U);
  EXPECT_EQ(*parse_bytes("2G"), 2'000'000'000U);
  EXPECT_FALSE(parse_bytes("12 parsecs"));
}

}  // namespace
}  // namespace infiniedge::app::config
