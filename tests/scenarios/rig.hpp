// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/demo/process.hpp"
#include "app/demo/story.hpp"
#include "app/node/world.hpp"
#include "app/node_client.hpp"
#include "device/replay/publisher.hpp"
#include "relay.hpp"

namespace infiniedge::tests {

/// Broker, plugs, hub and node of the appliance story, as real processes on loopback, with a
/// link between node and hub that can be cut. Ports and folders are its own.
class Rig {
 public:
  Rig();
  ~Rig();

  /// Empty if everything started, else why not. "skip: …": something is not installed.
  std::string start(int plugs);
  void play(std::size_t recordings, Micros between);
  bool playing() const;

  void kill_node();
  std::string start_node();
  void kill_hub();
  std::string start_hub();
  Relay& link() { return *relay_; }

  /// Sequence numbers of a stream with how often each is there; empty if it cannot be asked.
  std::map<std::uint64_t, int> sequence(bool at_hub, const std::string& stream);
  std::uint64_t count(const std::string& sql);
  std::string metrics(bool of_hub);
  std::string logs() const;

 private:
  struct Side {
    std::string http, token, fingerprint;
  };
  std::string await_ready(app::demo::Process& process, const std::string& name, Side& side);
  std::unique_ptr<app::NodeClient> client(const Side& side, const std::string& name);
  Task<void> run_fleet();

  std::string dir_;
  app::demo::Assets assets_;
  app::demo::StoryOptions story_;
  std::uint16_t hub_port_ = 0, node_port_ = 0;
  std::optional<app::demo::Process> broker_, hub_, node_;
  std::unique_ptr<Relay> relay_;
  Side hub_side_, node_side_;
  app::World world_;
  std::unique_ptr<device::replay::PlugFleet> fleet_;
  std::atomic<bool> playing_{false};
};

}  // namespace infiniedge::tests
