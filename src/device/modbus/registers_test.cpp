// SPDX-License-Identifier: Apache-2.0
#include "device/modbus/registers.hpp"

#include <gtest/gtest.h>

#include "device/modbus/address.hpp"
#include "device/modbus/frame.hpp"
#include "device/modbus/plan.hpp"

namespace infiniedge::device::modbus {
namespace {

TEST(ModbusAddress, EveryFormNamesTheSamePlace) {
  EXPECT_EQ(*Address::parse("40001"), (Address{Table::HoldingRegister, 0}));
  EXPECT_EQ(*Address::parse("400001"), *Address::parse("hr:0"));
  EXPECT_EQ(*Address::parse("465536"), *Address::parse("hr:65535"));
  EXPECT_EQ(*Address::parse("00001"), *Address::parse("co:0"));
  EXPECT_EQ(*Address::parse("19999"), *Address::parse("di:9998"));
  EXPECT_EQ(*Address::parse("30010.15"), *Address::parse("ir:9.15"));
  EXPECT_EQ(Address::parse("hr:10.3")->text(), "hr:10.3");
  for (const auto* wrong : {"", "40000", "4001", "20001", "465537", "hr:65536", "hr:-1",
                            "hr:", "hr:1.16", "co:1.0", "hr:1.", "4 001", "hr:0x10", "4000001"}) {
    EXPECT_EQ(Address::parse(wrong).error().code(), Code::Invalid) << wrong;
  }
}

TEST(ModbusRegisters, EveryTypeSurvivesEveryOrder) {
  const std::vector<std::pair<std::string_view, Value>> values{{"bool", true},
                                                               {"int16", std::int64_t{-2}},
                                                               {"uint16", std::int64_t{65535}},
                                                               {"int32", std::int64_t{-70000}},
                                                               {"uint32", std::int64_t{4000000000}},
                                                               {"int64", std::int64_t{-5000000000}},
                                                               {"uint64", std::int64_t{5000000000}},
                                                               {"float32", 0.5},
                                                               {"float64", -1e300},
                                                               {"string", std::string{"abc"}}};
  for (const auto order : {Order::ABCD, Order::CDAB, Order::BADC, Order::DCBA}) {
    for (const auto& [type, value] : values) {
      const auto words = encode(value, type, 5, order);
      ASSERT_TRUE(words) << type;
      EXPECT_EQ(words->size(), registers_of(type, 5));
      EXPECT_EQ(decode(*words, type, order), value) << type << " " << static_cast<int>(order);
    }
  }
  EXPECT_EQ(*encode(Value{std::int64_t{0x01020304}}, "uint32", 0, Order::ABCD),
            (std::vector<std::uint16_t>{0x0102, 0x0304}));
  EXPECT_EQ(*encode(Value{std::int64_t{0x01020304}}, "uint32", 0, Order::CDAB),
            (std::vector<std::uint16_t>{0x0304, 0x0102}));
  EXPECT_EQ(*encode(Value{std::int64_t{0x01020304}}, "uint32", 0, Order::BADC),
            (std::vector<std::uint16_t>{0x0201, 0x0403}));
  EXPECT_EQ(*encode(Value{std::int64_t{0x01020304}}, "uint32", 0, Order::DCBA),
            (std::vector<std::uint16_t>{0x0403, 0x0201}));
  EXPECT_EQ(encode(Value{std::string{"abcdef"}}, "string", 5, Order::ABCD).error().code(),
            Code::Invalid);
}

std::vector<Item> holding(std::vector<std::pair<int, int>> spans) {
  std::vector<Item> out;
  for (const auto& [offset, width] : spans) {
    out.push_back({out.size(),
                   {Table::HoldingRegister, static_cast<std::uint16_t>(offset)},
                   static_cast<std::uint16_t>(width)});
  }
  return out;
}

std::vector<std::pair<int, int>> shape(const std::vector<Read>& reads) {
  std::vector<std::pair<int, int>> out;
  for (const auto& read : reads) out.emplace_back(read.offset, read.count);
  return out;
}

using Shape = std::vector<std::pair<int, int>>;

TEST(ModbusPlan, NeighboursWithinTheGapAreReadTogether) {
  const Planner planner(4);
  EXPECT_EQ(shape(planner.plan(holding({{20, 2}, {0, 1}, {5, 2}, {12, 1}}))),
            (Shape{{0, 7}, {12, 1}, {20, 2}}));
  // The same register twice, and one inside another.
  EXPECT_EQ(shape(planner.plan(holding({{3, 4}, {3, 4}, {4, 1}}))), (Shape{{3, 4}}));
  EXPECT_EQ(shape(Planner(0).plan(holding({{0, 1}, {1, 1}, {3, 1}}))), (Shape{{0, 2}, {3, 1}}));
}

TEST(ModbusPlan, RequestsKeepTheProtocolsLimits) {
  std::vector<std::pair<int, int>> spans;
  for (int i = 0; i < 130; ++i) spans.emplace_back(i, 1);
  EXPECT_EQ(shape(Planner(4).plan(holding(spans))), (Shape{{0, 125}, {125, 5}}));
  std::vector<Item> coils;
  for (std::uint16_t i = 0; i < 2001; ++i) coils.push_back({i, {Table::Coil, i}, 1});
  EXPECT_EQ(shape(Planner(4).plan(coils)), (Shape{{0, 2000}, {2000, 1}}));
}

TEST(ModbusPlan, RefusedAddressesAreNeverCrossedAgain) {
  Planner planner(4);
  const auto items = holding({{0, 1}, {1, 1}, {3, 1}, {5, 2}});
  const auto merged = planner.plan(items);
  ASSERT_EQ(merged.size(), 1U);
  planner.refuse_gaps(merged[0]);
  EXPECT_EQ(shape(planner.plan(items)), (Shape{{0, 2}, {3, 1}, {5, 2}}));
  planner.refuse(items[1]);
  EXPECT_EQ(shape(planner.plan(items)), (Shape{{0, 1}, {1, 1}, {3, 1}, {5, 2}}));
}

TEST(ModbusFrame, AnswersThatDoNotFitAreCorrupt) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(parse_read("\x03\x02\x01\x02"sv, Table::HoldingRegister, 1),
            std::vector<std::uint16_t>{0x0102});
  EXPECT_FALSE(parse_read("\x03\x02\x01\x02"sv, Table::HoldingRegister, 2));
  EXPECT_FALSE(parse_read("\x04\x02\x01\x02"sv, Table::HoldingRegister, 1));
  EXPECT_FALSE(parse_read("\x03\x04\x01\x02"sv, Table::HoldingRegister, 1));
  EXPECT_FALSE(parse_read(""sv, Table::Coil, 1));
  EXPECT_EQ(*parse_read("\x01\x01\x05"sv, Table::Coil, 3), (std::vector<std::uint16_t>{1, 0, 1}));
  EXPECT_EQ(exception_of("\x83\x02"sv, 3)->code, 2);
  EXPECT_FALSE(exception_of("\x83"sv, 3));
  EXPECT_FALSE(parse_header("\x00\x01\x00\x01\x00\x03\x01"sv));
  EXPECT_FALSE(parse_header("\x00\x01\x00\x00\xFF\xFF\x01"sv));
  EXPECT_TRUE(parse_echo(write_coil(1, true), write_coil(1, true)));
  EXPECT_FALSE(parse_echo(write_coil(1, false), write_coil(1, true)));
}

}  // namespace
}  // namespace infiniedge::device::modbus
