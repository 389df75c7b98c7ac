// SPDX-License-Identifier: Apache-2.0
#include "record/evolve.hpp"

#include <gtest/gtest.h>

#include "record/value.hpp"

namespace infiniedge::record {
namespace {

Schema boiler() {
  return {.stream = "boiler",
          .fields = {{.name = "temp",
                      .type = Type::Decimal,
                      .unit = "Cel",
                      .resolution = Resolution{.mantissa = 1, .scale = 1}},
                     {.name = "on", .type = Type::Bool}}};
}

TEST(Evolve, NewStreamGetsIdsAndVersionOne) {
  auto schema = evolve(nullptr, boiler());
  ASSERT_TRUE(schema) << schema.error().describe();
  EXPECT_EQ((*schema)->version, 1);
  EXPECT_EQ((*schema)->fields[0].id, kFirstField);
  EXPECT_EQ((*schema)->fields[1].id, kFirstField + 1);
}

TEST(Evolve, SameFieldsKeepTheVersion) {
  const SchemaPtr one = *evolve(nullptr, boiler());
  EXPECT_EQ(*evolve(one, boiler()), one);
}

TEST(Evolve, NewFieldAndFinerResolutionRaiseTheVersion) {
  const SchemaPtr one = *evolve(nullptr, boiler());
  Schema wanted = boiler();
  wanted.fields[0].resolution = Resolution{.mantissa = 5, .scale = 2};
  wanted.fields.push_back({.name = "pressure", .type = Type::Float});
  auto two = evolve(one, wanted);
  ASSERT_TRUE(two) << two.error().describe();
  EXPECT_EQ((*two)->version, 2);
  EXPECT_EQ((*two)->fields[2].id, kFirstField + 2);

  Batch batch = make_batch(one);
  batch.devices = {"b"};
  batch.device = {0};
  batch.ts = {1};
  batch.quality = {Quality::Good};
  batch.columns[0].ints() = {215};  // 21.5
  batch.columns[1].ints() = {1};
  auto adapted = adapt(batch, *two);
  ASSERT_TRUE(adapted) << adapted.error().describe();
  EXPECT_EQ(adapted->columns[0].ints()[0], 2150);
  EXPECT_TRUE(adapted->columns[2].is_null(0));
  EXPECT_TRUE(check(*adapted));
}

TEST(Evolve, TypeUnitAndCoarserResolutionAreInvalid) {
  const SchemaPtr one = *evolve(nullptr, boiler());
  Schema wanted = boiler();
  wanted.fields[1].type = Type::Int;
  EXPECT_EQ(evolve(one, wanted).error().code(), Code::Invalid);
  wanted = boiler();
  wanted.fields[0].unit = "[degF]";
  EXPECT_EQ(evolve(one, wanted).error().code(), Code::Invalid);
  wanted = boiler();
  wanted.fields[0].resolution = Resolution{.mantissa = 1, .scale = 0};
  EXPECT_EQ(evolve(one, wanted).error().code(), Code::Invalid);
}

TEST(Evolve, FieldNoLongerWantedStaysAndKeepsItsId) {
  const SchemaPtr one = *evolve(nullptr, boiler());
  Schema wanted = boiler();
  wanted.fields.erase(wanted.fields.begin());
  auto same = evolve(one, wanted);
  ASSERT_TRUE(same);
  EXPECT_EQ((*same)->fields.size(), 2u);
}

TEST(Evolve, BadNamesAreInvalid) {
  for (const std::string_view name : {"", "Temp", "1a", "a-b", "ts", "_seq", "on"}) {
    Schema wanted = boiler();
    wanted.fields[0].name = name;
    auto schema = evolve(nullptr, wanted);
    ASSERT_FALSE(schema) << name;
    EXPECT_EQ(schema.error().code(), Code::Invalid);
  }
}

}  // namespace
}  // namespace infiniedge::record
