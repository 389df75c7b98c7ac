// SPDX-License-Identifier: Apache-2.0
#include "runtime/channel.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "runtime/testing/run.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::runtime {
namespace {

Task<int> receive_sum(Channel<int>& channel) {
  int sum = 0;
  while (auto value = co_await channel.receive()) sum += *value;
  co_return sum;
}

TEST(Channel, DropOldestKeepsTheNewestAndCounts) {
  boost::asio::io_context context;
  Channel<int> channel(context.get_executor(), 2, Overflow::DropOldest);
  for (int i = 1; i <= 5; ++i) EXPECT_TRUE(channel.try_send(i));
  EXPECT_EQ(channel.dropped(), 3U);
  EXPECT_EQ(channel.try_receive(), 4);
  EXPECT_EQ(channel.try_receive(), 5);
  EXPECT_EQ(channel.try_receive(), std::nullopt);
}

TEST(Channel, BlockRefusesWithoutWaitingWhenFull) {
  boost::asio::io_context context;
  Channel<int> channel(context.get_executor(), 1);
  EXPECT_TRUE(channel.try_send(1));
  EXPECT_FALSE(channel.try_send(2));
}

TEST(Channel, CarriesValuesAcrossThreads) {
  boost::asio::io_context context;
  Channel<int> channel(context.get_executor(), 128);
  std::thread producer([&] {
    for (int i = 1; i <= 100; ++i) channel.try_send(i);
    channel.close();
  });
  const int sum = testing::run(context, receive_sum(channel));
  producer.join();
  EXPECT_EQ(sum, 5050);
}

TEST(Channel, CloseWakesAWaiterAndRefusesSenders) {
  boost::asio::io_context context;
  Channel<int> channel(context.get_executor(), 4);
  std::thread closer([&] { channel.close(); });
  EXPECT_EQ(testing::run(context, receive_sum(channel)), 0);
  closer.join();
  EXPECT_FALSE(channel.try_send(1));
}

Task<Result<std::thread::id>> on_worker(Workers& workers) {
  co_return co_await run_on(workers,
                            [] { return Result<std::thread::id>{std::this_thread::get_id()}; });
}

TEST(Workers, RunOnUsesAnotherThreadAndResumesHere) {
  boost::asio::io_context context;
  Workers workers("test", 1);
  const auto id = testing::run(context, on_worker(workers));
  ASSERT_TRUE(id.has_value());
  EXPECT_NE(*id, std::this_thread::get_id());
}

TEST(Workers, FullQueueIsExhausted) {
  boost::asio::io_context context;
  Workers workers("test", 1, 0);
  const auto id = testing::run(context, on_worker(workers));
  ASSERT_FALSE(id.has_value());
  EXPECT_EQ(id.error().code(), Code::Exhausted);
}

}  // namespace
}  // namespace infiniedge::runtime
