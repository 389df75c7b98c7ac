// SPDX-License-Identifier: Apache-2.0
#include "record/decimal.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "record/value.hpp"

namespace infiniedge::record {
namespace {

constexpr Resolution kHundredth{.mantissa = 1, .scale = 2};

TEST(Decimal, RoundsToTheStep) {
  EXPECT_EQ(to_scaled(21.456, kHundredth), 2146);
  EXPECT_EQ(to_scaled(-21.456, kHundredth), -2146);
  EXPECT_EQ(to_scaled(0.37, Resolution({.mantissa = 5, .scale = 1})), 5);
  EXPECT_EQ(to_scaled(0.33, Resolution({.mantissa = 2, .scale = 2})), 34);
}

TEST(Decimal, WhatCannotBeStoredIsNothing) {
  EXPECT_FALSE(to_scaled(std::nan(""), kHundredth));
  EXPECT_FALSE(to_scaled(std::numeric_limits<double>::infinity(), kHundredth));
  EXPECT_FALSE(to_scaled(1e17, kHundredth));
  EXPECT_TRUE(to_scaled(9e15, kHundredth));
}

TEST(Decimal, ValueOutsideTheRangeBecomesNull) {
  const Field field{.id = 16,
                    .name = "t",
                    .type = Type::Decimal,
                    .resolution = kHundredth,
                    .min = -40.0,
                    .max = 85.0};
  Column column = make_column(field.type);
  EXPECT_TRUE(append_number(column, field, 21.5));
  EXPECT_FALSE(append_number(column, field, 85.1));
  EXPECT_FALSE(append_number(column, field, std::nan("")));
  EXPECT_TRUE(append_number(column, field, -40));
  EXPECT_EQ(column.ints(), (std::vector<std::int64_t>{2150, 2150, 2150, -4000}));
  EXPECT_EQ(column.nulls, (std::vector<bool>{false, true, true, false}));
}

TEST(Decimal, IntegerBeyondSixtyFourBitsBecomesNull) {
  const Field field{.id = 16, .name = "n", .type = Type::Int};
  Column column = make_column(field.type);
  EXPECT_FALSE(append_number(column, field, 0x1p63));
  EXPECT_TRUE(append_number(column, field, -0x1p63));
}

TEST(Decimal, NarrowRangeFitsNineDigits) {
  Field field{.type = Type::Decimal, .resolution = kHundredth};
  EXPECT_EQ(decimal_width(field), 18);
  field.min = -9'999'999.99;
  field.max = 9'999'999.99;
  EXPECT_EQ(decimal_width(field), 9);
  field.max = 10'000'000;
  EXPECT_EQ(decimal_width(field), 18);
}

TEST(Decimal, ProposalIsTheCoarsestStepThatReproducesEachValue) {
  EXPECT_EQ(propose_resolution(std::array{1.0, 2.0}), (Resolution{1, 0}));
  EXPECT_EQ(propose_resolution(std::array{1.5, 2.25, 100.0}), (Resolution{1, 2}));
  EXPECT_EQ(propose_resolution(std::array{0.1, 0.123456789}), (Resolution{1, 9}));
  EXPECT_FALSE(propose_resolution(std::array{1.0 / 3}));
  EXPECT_FALSE(propose_resolution(std::array{1e15, 0.000000001}));
  EXPECT_FALSE(propose_resolution(std::span<const double>{}));
}

}  // namespace
}  // namespace infiniedge::record
