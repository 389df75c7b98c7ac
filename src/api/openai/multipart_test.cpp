// SPDX-License-Identifier: Apache-2.0
#include "api/openai/multipart.hpp"

#include <gtest/gtest.h>

namespace infiniedge::api::openai {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=mark";

TEST(Multipart, FieldsAndFilesAreRead) {
  const std::string body =
      "--mark\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ntiny\r\n"
      "--mark\r\ncontent-disposition: form-data; filename=\"a name.wav\"; name=\"file\"\r\n"
      "Content-Type: audio/wav\r\n\r\n\r\n--not the mark\r\n\r\n--mark--\r\n";
  const auto form = read_form(kType, body);
  ASSERT_TRUE(form) << form.error().describe();
  ASSERT_EQ(form->size(), 2U);
  EXPECT_EQ((*form)[0].name, "model");
  EXPECT_EQ((*form)[0].content, "tiny");
  EXPECT_EQ((*form)[1].name, "file");
  EXPECT_EQ((*form)[1].filename, "a name.wav");
  EXPECT_EQ((*form)[1].content, "\r\n--not the mark\r\n");
}

TEST(Multipart, AnEmptyFieldIsAField) {
  const auto form =
      read_form(kType, "--mark\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--mark--");
  ASSERT_TRUE(form) << form.error().describe();
  EXPECT_EQ((*form)[0].content, "");
}

TEST(Multipart, WhatIsCutOffIsRefused) {
  const std::string whole =
      "--mark\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n--mark--";
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(read_form(kType, std::string_view(whole).substr(0, n))) << n;
  }
  EXPECT_TRUE(read_form(kType, whole));
}

TEST(Multipart, AnotherTypeIsRefused) {
  EXPECT_FALSE(read_form("application/json", "{}"));
  EXPECT_FALSE(read_form("multipart/form-data", "--\r\n"));
}

}  // namespace
}  // namespace infiniedge::api::openai
