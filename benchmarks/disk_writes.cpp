// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "ingest.hpp"

namespace infiniedge::benchmarks {

// /proc/self/io counts dirtied pages, with large folios whole ones: the device knows better.
std::uint64_t disk_bytes_written(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat status{};
  if (fd < 0 || syncfs(fd) != 0 || fstat(fd, &status) != 0) {
    std::perror(path.c_str());
    std::exit(1);
  }
  close(fd);
  std::ifstream disks("/proc/diskstats");
  for (std::string line; std::getline(disks, line);) {
    std::istringstream fields(line);
    unsigned major_number = 0, minor_number = 0;
    std::string name;
    std::uint64_t reads = 0, merged = 0, read = 0, ms = 0, writes = 0, joined = 0, sectors = 0;
    fields >> major_number >> minor_number >> name >> reads >> merged >> read >> ms >> writes >>
        joined >> sectors;
    if (makedev(major_number, minor_number) == status.st_dev) return sectors * 512;
  }
  std::fprintf(stderr, "%s: not on a disk that /proc/diskstats lists; give another --dir\n",
               path.c_str());
  std::exit(1);
}

}  // namespace infiniedge::benchmarks
