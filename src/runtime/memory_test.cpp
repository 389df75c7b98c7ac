// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace infiniedge::runtime {
namespace {

/// KiB of /proc/self/status.
long status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  std::string word;
  long value = 0;
  while (file >> word) {
    if (word == name + ":" && file >> value) return value;
  }
  return -1;
}

TEST(Memory, CodeLeavesAndComesBackWhenItIsNeeded) {
  const auto before = status("RssFile");
  release_start_memory();
  EXPECT_LT(status("RssFile"), before);
  // Code, constants and relocated data of several libraries still work.
  EXPECT_NEAR(std::sin(1.0), 0.8414709848, 1e-9);
  EXPECT_EQ(std::to_string(12.5), "12.500000");
  EXPECT_THROW(throw std::string("x"), std::string);
  EXPECT_NE(::dlsym(RTLD_DEFAULT, "malloc"), nullptr);
}

TEST(Memory, OtherThreadsMayRunMeanwhile) {
  std::atomic<bool> done{false};
  double sum = 0;
  std::thread other([&] {
    while (!done) sum += std::strtod("1.5", nullptr);
  });
  for (int i = 0; i < 200; ++i) release_start_memory();
  done = true;
  other.join();
  EXPECT_GT(sum, 0);
}

}  // namespace
}  // namespace infiniedge::runtime
