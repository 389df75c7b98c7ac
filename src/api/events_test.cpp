// SPDX-License-Identifier: Apache-2.0
#include "api/events.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "runtime/testing/sim_clock.hpp"

namespace infiniedge::api {
namespace {

/// Collects what a page would receive; refuses after `limit` pieces, as a page that has left.
class Page final : public runtime::http::BodyWriter {
 public:
  Task<Result<void>> write(std::string piece) override {
    text += piece;
    if (--limit < 0) co_return Error{Code::Unavailable, "gone"};
    co_return Result<void>{};
  }
  std::string text;
  int limit = 100;
};

class EventsTest : public testing::Test {
 protected:
  std::shared_ptr<Page> open(std::string_view topics, std::string_view last = "") {
    auto page = std::make_shared<Page>();
    responses_.push_back(events_.open(topics, last));
    boost::asio::co_spawn(context_, responses_.back().stream(page), boost::asio::detached);
    poll();
    return page;
  }
  void poll() {
    context_.restart();
    context_.poll();
  }
  boost::asio::io_context context_;
  runtime::testing::SimClock clock_;
  Events events_{context_.get_executor(), clock_, 7};
  std::vector<runtime::http::Response> responses_;
};

TEST_F(EventsTest, APageGetsItsTopicsOnly) {
  const auto page = open("alarm,value/*");
  events_.publish("alarm", "alarm", "{\"id\":1}");
  events_.publish("value/pump-7", "value", "{\"v\":2}");
  events_.publish("log", "log", "{\"l\":3}");
  poll();
  EXPECT_NE(page->text.find("event: alarm\ndata: {\"id\":1}"), std::string::npos);
  EXPECT_NE(page->text.find("{\"v\":2}"), std::string::npos);
  EXPECT_EQ(page->text.find("{\"l\":3}"), std::string::npos);
}

TEST_F(EventsTest, ASlowPageGetsTheNewestValueAndEveryAlarm) {
  const auto page = open("alarm,value/*");
  for (int i = 0; i < 5; ++i) {
    events_.publish("value/a", "value", std::to_string(i), "value/a");
    events_.publish("alarm", "alarm", "a" + std::to_string(i));
  }
  poll();
  EXPECT_EQ(page->text.find("data: 0\n"), std::string::npos);
  EXPECT_NE(page->text.find("data: 4\n"), std::string::npos);
  for (int i = 0; i < 5; ++i)
    EXPECT_NE(page->text.find("data: a" + std::to_string(i)), std::string::npos);
}

TEST_F(EventsTest, ReplaysWhatWasMissedOrSaysResync) {
  events_.publish("alarm", "alarm", "one");
  events_.publish("alarm", "alarm", "two");
  const auto known = open("alarm", "7-1");
  EXPECT_EQ(known->text.find("data: one"), std::string::npos);
  EXPECT_NE(known->text.find("data: two"), std::string::npos);
  EXPECT_NE(open("alarm", "6-1")->text.find("event: resync"), std::string::npos);
}

TEST_F(EventsTest, NobodyListensOnceThePageHasLeft) {
  auto page = open("flow");
  EXPECT_TRUE(events_.wanted("flow"));
  page->limit = 0;
  events_.publish("flow", "flow", "x");
  poll();
  responses_.clear();
  EXPECT_FALSE(events_.wanted("flow"));
}

}  // namespace
}  // namespace infiniedge::api
