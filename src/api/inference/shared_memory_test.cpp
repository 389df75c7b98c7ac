// SPDX-License-Identifier: Apache-2.0
#include "api/inference/shared_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "api/inference/testing/shared_object.hpp"

namespace infiniedge::api::inference {
namespace {

using testing::ClientObject;
using ::testing::HasSubstr;

constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();

TEST(SharedMemory, ReadsAndWritesAtAnyOffset) {
  ClientObject object(64);
  ASSERT_TRUE(object.good() && object.put(13, "abcdef"));
  SharedMemory memory(true);
  ASSERT_TRUE(memory.add({"r", object.key(), 11, 50}));
  const SharedSlice slice{"r", 2, 6};
  auto held = memory.use(slice);
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(*(*held)->read(slice).value(), "abcdef");
  ASSERT_TRUE((*held)->write({"r", 9, 3}, base::as_bytes("xyz")));
  EXPECT_EQ(object.get(20, 3), "xyz");
}

TEST(SharedMemory, RangesThatOverflowOrLieOutsideAreRefused) {
  ClientObject object(64);
  SharedMemory memory(true);
  EXPECT_EQ(memory.add({"r", object.key(), kMax, 2}).error().code(), Code::Invalid);
  EXPECT_EQ(memory.add({"r", object.key(), 0, kMax}).error().code(), Code::Invalid);
  EXPECT_EQ(memory.add({"r", object.key(), 0, 0}).error().code(), Code::Invalid);
  EXPECT_EQ(memory.add({"r", object.key(), 60, 5}).error().code(), Code::Invalid);
  ASSERT_TRUE(memory.add({"r", object.key(), 60, 4}));
  EXPECT_TRUE(memory.use({"r", 0, 4}).has_value());
  EXPECT_EQ(memory.use({"r", 1, 4}).error().code(), Code::Invalid);
  EXPECT_EQ(memory.use({"r", kMax, 2}).error().code(), Code::Invalid);
  EXPECT_EQ(memory.use({"s", 0, 1}).error().code(), Code::NotFound);
}

TEST(SharedMemory, KeysThatNameNoMemoryAreRefused) {
  SharedMemory memory(true);
  for (const std::string key : {"/infiniedge-absent", "/", "", "/../etc/passwd", "/.", "a/b"}) {
    const auto added = memory.add({"r", key, 0, 1});
    ASSERT_FALSE(added.has_value()) << key;
    EXPECT_THAT(added.error().message(), HasSubstr("Unable to open shared memory region: 'r'"));
  }
  EXPECT_FALSE(memory.add({"r", std::string("/a\0b", 4), 0, 1}).has_value());
}

TEST(SharedMemory, ANameIsTakenOnce) {
  ClientObject object(8);
  SharedMemory memory(true);
  ASSERT_TRUE(memory.add({"r", object.key(), 0, 8}));
  EXPECT_EQ(memory.add({"r", object.key(), 0, 8}).error().code(), Code::Exists);
  memory.remove("r");
  memory.remove("never");
  EXPECT_TRUE(memory.add({"r", object.key(), 0, 8}).has_value());
}

TEST(SharedMemory, ARegionInUseLeavesWithItsLastUser) {
  ClientObject object(8);
  SharedMemory memory(true);
  ASSERT_TRUE(memory.add({"r", object.key(), 0, 8}));
  auto held = memory.use({"r", 0, 8});
  memory.remove_all();
  EXPECT_EQ(memory.list().size(), 1U);
  EXPECT_FALSE(memory.use({"r", 0, 8}).has_value());
  EXPECT_EQ(memory.add({"r", object.key(), 0, 8}).error().code(), Code::Exists);
  EXPECT_TRUE((*held)->read({"r", 0, 8}).has_value());
  held = Error{Code::Cancelled, "answered"};
  EXPECT_TRUE(memory.list().empty());
}

TEST(SharedMemory, AnObjectTruncatedAfterwardsIsAnErrorAndNoFault) {
  ClientObject object(8192);
  SharedMemory memory(true);
  ASSERT_TRUE(memory.add({"r", object.key(), 0, 8192}));
  const SharedSlice slice{"r", 4096, 4096};
  auto held = memory.use(slice);
  object.resize(100);
  EXPECT_EQ((*held)->read(slice).error().code(), Code::Invalid);
  EXPECT_EQ((*held)->write(slice, base::as_bytes("x")).error().code(), Code::Invalid);
  EXPECT_EQ(object.get(0, 8192).size(), 100U) << "a refused write must not make it grow";
}

TEST(SharedMemory, OffRefusesAndForgivesUnregistering) {
  SharedMemory memory(false);
  EXPECT_EQ(memory.add({"r", "/a", 0, 1}).error().code(), Code::Unsupported);
  EXPECT_EQ(memory.use({"r", 0, 1}).error().code(), Code::Unsupported);
  memory.remove("r");
  EXPECT_TRUE(memory.list().empty());
}

}  // namespace
}  // namespace infiniedge::api::inference
