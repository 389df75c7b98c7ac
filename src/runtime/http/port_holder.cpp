// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/port_holder.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <unordered_set>

namespace infiniedge::runtime::http {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kListenState = "0A";

/// Link targets "socket:[inode]" of the sockets that listen on `port`.
void add_listeners(const char* table, std::uint16_t port, std::unordered_set<std::string>& out) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
        inode;
    const auto colon = local.rfind(':');
    if (state != kListenState || colon == std::string::npos) continue;
    unsigned value = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), value, 16);
    if (value == port) out.insert("socket:[" + inode + "]");
  }
}

bool holds(const fs::path& process, const std::unordered_set<std::string>& sockets) {
  std::error_code failed;
  for (fs::directory_iterator entry(process / "fd", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code unreadable;
    const auto target = fs::read_symlink(entry->path(), unreadable);
    if (!unreadable && sockets.contains(target.string())) return true;
  }
  return false;
}

}  // namespace

std::string port_holder(std::uint16_t port) {
  std::unordered_set<std::string> sockets;
  add_listeners("/proc/net/tcp", port, sockets);
  add_listeners("/proc/net/tcp6", port, sockets);
  if (sockets.empty()) return {};
  std::error_code failed;
  for (fs::directory_iterator entry("/proc", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto pid = entry->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!holds(entry->path(), sockets)) continue;
    std::ifstream file(entry->path() / "comm");
    std::string name;
    std::getline(file, name);
    return name + " (pid " + pid + ")";
  }
  return {};
}

}  // namespace infiniedge::runtime::http
