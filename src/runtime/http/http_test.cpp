// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/http.hpp"

#include <gtest/gtest.h>

#include "runtime/http/client.hpp"

namespace infiniedge::runtime::http {
namespace {

TEST(Http, HeaderNamesCompareWithoutCaseAndSetReplaces) {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.add("content-type", "b");
  EXPECT_EQ(headers.get("CONTENT-TYPE"), "a");
  headers.set("Content-type", "c");
  EXPECT_EQ(headers.all().size(), 1U);
  EXPECT_EQ(headers.get("content-type"), "c");
  EXPECT_FALSE(headers.has("content"));
}

TEST(Http, QueryParametersAreDecodedAndPathIsNot) {
  Request request;
  request.target = "/a%20b?x=1%262&name=caf%C3%A9+au&flag&x=2";
  EXPECT_EQ(request.path(), "/a%20b");
  EXPECT_EQ(request.parameter("x"), "1&2");
  EXPECT_EQ(request.parameter("name"), "café au");
  EXPECT_EQ(request.parameter("flag"), "");
  EXPECT_EQ(request.parameter("none"), "");
}

TEST(Http, MalformedEscapesStayAsTheyAre) {
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41+"), "%zzA+");
  EXPECT_EQ(percent_decode("%41"), "A");
}

TEST(Url, DefaultsAreFilledIn) {
  const auto url = Url::parse("wss://hub.example/v1/sync?x=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "hub.example");
  EXPECT_EQ(url->port, "443");
  EXPECT_EQ(url->target, "/v1/sync?x=1");
  EXPECT_EQ(Url::parse("http://h")->target, "/");
  EXPECT_EQ(Url::parse("http://[::1]:80?q#f")->target, "/?q");
  EXPECT_EQ(Url::parse("http://[::1]:81")->host, "::1");
  EXPECT_EQ(Url::parse("unix:/run/x.sock")->host, "/run/x.sock");
}

TEST(Url, WhatIsWrongIsNamed) {
  const auto message = [](std::string_view text) {
    const auto url = Url::parse(text);
    return url ? std::string("accepted") : url.error().message();
  };
  EXPECT_NE(message("hub:8000").find("must start with"), std::string::npos);
  EXPECT_NE(message("ftp://x").find("scheme"), std::string::npos);
  EXPECT_NE(message("http://h:99999/").find("port"), std::string::npos);
  EXPECT_NE(message("http://:1/").find("host"), std::string::npos);
  EXPECT_NE(message("http://u:p@h/").find("password"), std::string::npos);
  EXPECT_NE(message("http://h/\r\nX: y").find("control"), std::string::npos);
}

}  // namespace
}  // namespace infiniedge::runtime::http
