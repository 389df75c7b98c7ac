// SPDX-License-Identifier: Apache-2.0
#include "hub/testing/world.hpp"

#include <boost/asio/co_spawn.hpp>

#include "base/check.hpp"

namespace infiniedge::hub::testing {

class World::Dialer final : public sync::Dialer {
 public:
  explicit Dialer(World& world) : world_(world) {}
  Task<Result<std::shared_ptr<sync::Link>>> dial() override {
    if (!world_.hub_up()) co_return Error{Code::Unavailable, "connection refused"};
    co_return world_.connect();
  }

 private:
  World& world_;
};

record::GatewayId gateway_of(unsigned char fill) {
  record::GatewayId id;
  id.fill(std::byte{fill});
  return id;
}

World::World(std::uint64_t seed) : entropy(seed * 0x9E3779B97F4A7C15U + 1) {}

World::~World() {
  if (node_up()) stop_node();
  if (hub_up()) stop_hub(false);
  finish(serving_.close());
}

std::shared_ptr<sync::Link> World::connect(std::string principal) {
  auto [near, far] = sync::testing::make_sim_link(context.get_executor(), entropy, faults);
  ends_.push_back(far);
  serving_.spawn(hub_->serve(far, std::move(principal)));
  return near;
}

void World::settle() {
  context.restart();
  context.poll();
}

void World::finish(Task<void> task) {
  bool done = false;
  boost::asio::co_spawn(context, std::move(task), [&done](std::exception_ptr) { done = true; });
  settle();
  // Going on would leave coroutines behind that refer to what is gone.
  INFINIEDGE_CHECK(done);
}

void World::start_hub() {
  hub_ = std::make_unique<Ingest>(context.get_executor(), inbox.view(), clock, metrics, limits);
}

void World::stop_hub(bool crash) {
  if (crash) inbox.crash();
  finish(hub_->close());
  hub_.reset();
  ends_.clear();
}

void World::start_node() {
  uplink_ = std::make_unique<sync::Uplink>(context.get_executor(), outbox.view(),
                                           std::make_unique<Dialer>(*this), clock, entropy, metrics,
                                           options);
  uplink_->start();
}

void World::stop_node() {
  finish(uplink_->stop());
  uplink_.reset();
}

void World::cut() {
  for (const auto& end : ends_) end->close();
  ends_.clear();
}

void World::run_for(Micros duration) {
  const Instant end = clock.now() + duration;
  settle();
  while (clock.now() < end) {
    const auto next = clock.next();
    clock.advance((next && *next < end ? *next : end) - clock.now());
    settle();
  }
}

bool World::drain(Micros limit) {
  const Instant end = clock.now() + limit;
  while (!outbox.drained(kUplink)) {
    if (clock.now() >= end) return false;
    run_for(Seconds{1});
  }
  return true;
}

}  // namespace infiniedge::hub::testing
