// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ingest.hpp"
#include "runtime/disk.hpp"

namespace infiniedge::benchmarks {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::uint64_t kFile = std::uint64_t{16} << 20;

void must(const Result<void>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().describe().c_str());
  std::exit(1);
}

}  // namespace

Leg ingest_nothing(const Work& work) {
  const auto disk = runtime::make_posix_disk();
  auto file = disk->open(work.dir + "/page", runtime::Disk::Mode::Create);
  if (!file) must(file.error());
  must((*file)->allocate(kFile));
  must((*file)->sync_data());
  Leg leg;
  std::string page(4096, '\0');
  const auto before = disk_bytes_written(work.dir);
  const auto start = Steady::now();
  auto now = start;
  for (std::size_t i = work.warm_up; i < work.commits.size() && now - start < work.longest; ++i) {
    page[0] = static_cast<char>(i);
    must((*file)->write(i * page.size() % kFile, std::as_bytes(std::span(page))));
    must((*file)->sync_data());
    const auto done = Steady::now();
    leg.commit_ms.push_back(std::chrono::duration<double, std::milli>(done - now).count());
    now = done;
  }
  leg.seconds = leg.total_seconds = std::chrono::duration<double>(now - start).count();
  leg.disk_bytes = disk_bytes_written(work.dir) - before;
  return leg;
}

}  // namespace infiniedge::benchmarks
