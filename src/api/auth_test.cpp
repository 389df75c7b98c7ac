// SPDX-License-Identifier: Apache-2.0
#include "api/auth.hpp"

#include <gtest/gtest.h>

#include "runtime/testing/sim_clock.hpp"

namespace infiniedge::api {
namespace {

class AuthTest : public testing::Test {
 protected:
  static runtime::http::Request request(const std::string& header, const std::string& value) {
    runtime::http::Request out;
    out.peer = "10.0.0.9";
    if (!header.empty()) out.headers.set(header, value);
    return out;
  }
  runtime::testing::SimClock clock_;
  runtime::SeededEntropy entropy_{5};
  Auth auth_{clock_, entropy_};
};

TEST_F(AuthTest, AKnownTokenIsAPrincipalAndAnotherIsDenied) {
  const auto token = auth_.create_token("shift-lead", Role::Operator);
  const auto known = auth_.identify(request("authorization", "Bearer " + token), 8000);
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->name, "shift-lead");
  EXPECT_TRUE(known->at_least(Role::Viewer));
  EXPECT_FALSE(known->at_least(Role::Admin));
  EXPECT_EQ(auth_.identify(request("authorization", "Bearer " + token + "x"), 8000).error().code(),
            Code::Denied);
  EXPECT_EQ(auth_.identify(request("", ""), 8000).error().code(), Code::Denied);
}

TEST_F(AuthTest, ANodeMayDoNothingElse) {
  const Principal node{.name = "n", .role = Role::Node};
  EXPECT_FALSE(node.at_least(Role::Viewer));
  EXPECT_TRUE(node.at_least(Role::Node));
}

TEST_F(AuthTest, ALinkOpensOneSessionWithinTenMinutes) {
  const auto link = auth_.create_link();
  const auto session = auth_.open_session(link, "127.0.0.1");
  ASSERT_TRUE(session.has_value());
  EXPECT_FALSE(auth_.open_session(link, "127.0.0.1"));
  const auto cookie = Auth::cookie_name(8000) + "=" + *session;
  EXPECT_TRUE(auth_.identify(request("cookie", "other=1; " + cookie), 8000));
  EXPECT_FALSE(auth_.identify(request("cookie", cookie), 8001));
  const auto late = auth_.create_link();
  clock_.advance(Seconds{601});
  EXPECT_FALSE(auth_.open_session(late, "127.0.0.1"));
}

TEST_F(AuthTest, TenFailuresAMinuteShutTheAddressOut) {
  const auto token = auth_.create_token("t", Role::Viewer);
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(auth_.identify(request("authorization", "Bearer no"), 8000));
  EXPECT_EQ(auth_.identify(request("authorization", "Bearer " + token), 8000).error().code(),
            Code::Exhausted);
  clock_.advance(Seconds{61});
  EXPECT_TRUE(auth_.identify(request("authorization", "Bearer " + token), 8000));
}

TEST_F(AuthTest, AForeignHostOrOriginIsRefused) {
  auto call = request("host", "127.0.0.1:8000");
  EXPECT_TRUE(own_host(call, {}));
  call.headers.set("origin", "http://127.0.0.1:8000");
  EXPECT_TRUE(own_origin(call));
  call.headers.set("origin", "http://evil.example");
  EXPECT_FALSE(own_origin(call));
  call.headers.set("host", "evil.example:8000");
  EXPECT_FALSE(own_host(call, {}));
  EXPECT_TRUE(own_host(call, {"evil.example"}));
}

}  // namespace
}  // namespace infiniedge::api
