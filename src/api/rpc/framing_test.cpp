// SPDX-License-Identifier: Apache-2.0
#include "api/rpc/framing.hpp"

#include <gtest/gtest.h>

#include "api/inference/coding.hpp"
#include "api/rpc/status.hpp"

namespace infiniedge::api::rpc {
namespace {

std::string framed(std::string_view content, char flag = 0) {
  std::string out(5, '\0');
  out[0] = flag;
  for (int i = 0; i < 4; ++i) out[4 - i] = static_cast<char>(content.size() >> (8 * i));
  return out.append(content);
}

struct FramingTest : ::testing::Test {
  std::shared_ptr<Budget> budget = std::make_shared<Budget>(1U << 20);
  std::deque<Message> messages;
};

TEST_F(FramingTest, MessagesMayComeByteByByte) {
  MessageReader reader("", 100, budget);
  const auto bytes = framed("one") + framed("") + framed("three");
  for (const char& byte : bytes) ASSERT_TRUE(reader.put({&byte, 1}, messages));
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(*messages[0] + "/" + *messages[1] + "/" + *messages[2], "one//three");
  EXPECT_FALSE(reader.inside());
}

TEST_F(FramingTest, ALengthBeyondTheLimitIsInvalid) {
  MessageReader reader("", 100, budget);
  const auto refused = reader.put(framed(std::string(101, 'x')), messages);
  ASSERT_FALSE(refused);
  EXPECT_EQ(status_of(refused.error()).code, StatusCode::InvalidArgument);
}

TEST_F(FramingTest, ABombIsRefusedOnceItGrowsTooLarge) {
  const auto bomb = inference::encode_body(inference::Coding::Gzip, std::string(100'000, 'x'));
  ASSERT_LT(bomb.size(), 1000U);
  MessageReader reader("gzip", 1000, budget);
  const auto refused = reader.put(framed(bomb, 1), messages);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::Invalid);
}

TEST_F(FramingTest, AFlagThatIsNoneIsCorrupt) {
  EXPECT_EQ(MessageReader("", 100, budget).put(framed("x", 2), messages).error().code(),
            Code::Corrupt);
  EXPECT_EQ(MessageReader("", 100, budget).put(framed("x", 1), messages).error().code(),
            Code::Corrupt);
}

TEST_F(FramingTest, TheBudgetIsGivenBackWithTheLastHolder) {
  budget = std::make_shared<Budget>(30);
  MessageReader reader("", 100, budget);
  ASSERT_TRUE(reader.put(framed(std::string(20, 'x')), messages));
  EXPECT_EQ(reader.put(framed(std::string(20, 'x')), messages).error().code(), Code::Exhausted);
  EXPECT_EQ(budget->used(), 20U);
  messages.clear();
  EXPECT_EQ(budget->used(), 0U);
}

TEST(Status, EveryErrorHasTheCodeThatTheProtocolNames) {
  const auto code = [](Code c) { return status_of(Error{c, "x"}).code; };
  EXPECT_EQ(code(Code::Invalid), StatusCode::InvalidArgument);
  EXPECT_EQ(code(Code::Stale), StatusCode::InvalidArgument);
  EXPECT_EQ(code(Code::NotFound), StatusCode::NotFound);
  EXPECT_EQ(code(Code::Exists), StatusCode::AlreadyExists);
  EXPECT_EQ(code(Code::Denied), StatusCode::PermissionDenied);
  EXPECT_EQ(code(Code::Unsupported), StatusCode::Unimplemented);
  EXPECT_EQ(code(Code::Unavailable), StatusCode::Unavailable);
  EXPECT_EQ(code(Code::Exhausted), StatusCode::Unavailable);
  EXPECT_EQ(code(Code::Timeout), StatusCode::Unavailable);
  EXPECT_EQ(code(Code::Cancelled), StatusCode::Cancelled);
  EXPECT_EQ(code(Code::Corrupt), StatusCode::Internal);
  EXPECT_EQ(code(Code::Internal), StatusCode::Internal);
}

TEST(Status, TimeoutsAreDigitsAndAUnit) {
  EXPECT_EQ(parse_timeout("250m"), Micros{250'000});
  EXPECT_EQ(parse_timeout("1n"), Micros{1});
  EXPECT_EQ(parse_timeout("99999999H"), Micros{std::chrono::hours{24 * 3650}});
  for (const auto* wrong : {"", "1", "m", "-1m", "1x", "123456789m"}) {
    EXPECT_EQ(parse_timeout(wrong), std::nullopt) << wrong;
  }
}

TEST(Status, MessagesAreSafeInAHeader) { EXPECT_EQ(percent_encoded("a%\nü"), "a%25%0A%C3%BC"); }

}  // namespace
}  // namespace infiniedge::api::rpc
