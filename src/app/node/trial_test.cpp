// SPDX-License-Identifier: Apache-2.0
#include "app/node/trial.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace infiniedge::app {
namespace {

using ::testing::HasSubstr;

/// The error of a shell script; an empty message if it went well.
Error after(const std::string& script, Micros limit = Seconds{30}, const std::string& input = {}) {
  auto done = run_apart({"/bin/sh", "-c", script}, input, limit);
  return done ? Error{Code::Cancelled, ""} : std::move(done).error();
}

TEST(Trial, AProcessThatEndsWellIsNoError) { EXPECT_EQ(after("exit 0").message(), ""); }

TEST(Trial, ACrashIsToldWithItsSignal) {
  const auto error = after("kill -SEGV $$");
  EXPECT_EQ(error.code(), Code::Corrupt);
  EXPECT_EQ(error.message(), "the runtime crashed while loading (signal 11)");
  EXPECT_THAT(after("kill -ABRT $$").message(), HasSubstr("signal 6"));
}

TEST(Trial, WhatItSaysLastIsTheError) {
  const auto error =
      after("echo 'a warning' >&2; echo 'infiniedge: no such operator' >&2; exit 65");
  EXPECT_EQ(error.code(), Code::Invalid);
  EXPECT_EQ(error.message(), "no such operator");
  EXPECT_EQ(after("echo 'infiniedge: a defect' >&2; exit 70").code(), Code::Internal);
  EXPECT_THAT(after("exit 3").message(), HasSubstr("ended with status 3"));
}

TEST(Trial, MuchOutputNeitherBlocksNorFillsMemory) {
  const auto error = after(
      "i=0; while [ $i -lt 20000 ]; do echo 'much ado about nothing' >&2; i=$((i+1)); done; "
      "echo 'infiniedge: the end' >&2; exit 65");
  EXPECT_EQ(error.message(), "the end");
  EXPECT_LE(after("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 65").message().size(), 8192U);
}

TEST(Trial, WhatDoesNotEndIsKilled) {
  const auto error = after("exec sleep 60", Millis{200});
  EXPECT_EQ(error.code(), Code::Timeout);
  // Closing its standard error does not hide it.
  EXPECT_EQ(after("exec 2>&-; exec sleep 60", Millis{200}).code(), Code::Timeout);
}

TEST(Trial, ItInheritsNothingButItsInput) {
  const int secret = ::open("/dev/null", O_RDONLY);  // On purpose without O_CLOEXEC.
  ASSERT_GT(secret, 2);
  EXPECT_EQ(after("test ! -e /proc/self/fd/" + std::to_string(secret)).message(), "");
  ::close(secret);
  EXPECT_EQ(after("read line; test \"$line\" = hello", Seconds{30}, "hello\n").message(), "");
}

TEST(Trial, AProgramThatIsNotThereIsTold) {
  const auto done = run_apart({"/nonexistent/program"}, "", Seconds{1});
  ASSERT_FALSE(done.has_value());
  EXPECT_THAT(done.error().message(), HasSubstr("no process can be started"));
}

}  // namespace
}  // namespace infiniedge::app
