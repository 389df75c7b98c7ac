// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace infiniedge::benchmarks {

/// What one closed loop saw.
struct Samples {
  std::vector<double> us{};
  std::size_t asked = 0;  ///< While warming up too.
  std::size_t failed = 0;
};

/// Asks again as soon as the last answer is there, until `seconds` are over. The first fifth warms
/// up and is not counted.
template <class Once>
Samples closed_loop(double seconds, Once once) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const auto at = [&](double s) {
    return begun + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(s));
  };
  const auto warm = at(seconds / 5), end = at(seconds);
  Samples samples;
  samples.us.reserve(1 << 19);
  for (auto start = begun; start < end;) {
    const bool good = once();
    ++samples.asked;
    const auto now = Clock::now();
    if (!good && ++samples.failed >= 3) break;
    if (good && start >= warm)
      samples.us.push_back(std::chrono::duration<double, std::micro>(now - start).count());
    start = now;
  }
  return samples;
}

/// Processor time that this process has taken.
inline double cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return us(used.ru_utime) + us(used.ru_stime);
}

/// Runs a loop of each on its own thread, and prints what all saw together as JSON on one line.
template <class Loop>
int report(std::vector<Loop>& loops, double seconds) {
  std::vector<Samples> seen(loops.size());
  std::vector<std::thread> threads;
  const auto before = cpu_us();
  for (std::size_t i = 0; i < loops.size(); ++i)
    threads.emplace_back([&, i] { seen[i] = closed_loop(seconds, std::ref(loops[i])); });
  for (auto& thread : threads) thread.join();
  const auto cpu = cpu_us() - before;
  std::vector<double> us;
  std::size_t asked = 0, failed = 0;
  for (const auto& one : seen) {
    us.insert(us.end(), one.us.begin(), one.us.end());
    asked += one.asked;
    failed += one.failed;
  }
  std::sort(us.begin(), us.end());
  const auto at = [&](double q) {
    return us.empty() ? 0.0 : us[static_cast<std::size_t>(q * static_cast<double>(us.size() - 1))];
  };
  fmt::print(R"({{"asked":{},"failed":{},"p50_us":{:.2f},"p99_us":{:.2f},"per_second":{:.1f},)"
             R"("cpu_us":{:.2f}}})"
             "\n",
             asked, failed, at(0.5), at(0.99), static_cast<double>(us.size()) / (seconds * 0.8),
             cpu / static_cast<double>(asked));
  return failed == 0 && !us.empty() ? 0 : 1;
}

/// "1,3,48,192"
inline std::vector<std::int64_t> shape_of(std::string_view text) {
  std::vector<std::int64_t> shape;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    shape.push_back(std::strtoll(std::string(text.substr(at, end - at)).c_str(), nullptr, 10));
    at = end + 1;
  }
  return shape;
}

inline std::size_t elements_of(const std::vector<std::int64_t>& shape) {
  std::size_t n = 1;
  for (const auto dimension : shape) n *= static_cast<std::size_t>(dimension);
  return n;
}

}  // namespace infiniedge::benchmarks
