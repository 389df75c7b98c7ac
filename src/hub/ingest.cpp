// SPDX-License-Identifier: Apache-2.0
#include "hub/ingest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/log.hpp"

namespace infiniedge::hub {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kCertificateName = "infiniedge://gateway/";

/// Takes `link` off the list when the connection's coroutine ends, however it does.
struct Leaving {
  std::list<std::shared_ptr<NodeLink>>& links;
  std::list<std::shared_ptr<NodeLink>>::iterator at;
  runtime::Gauge& connections;
  asio::steady_timer& drained;

  ~Leaving() {
    links.erase(at);
    connections.set(static_cast<double>(links.size()));
    if (links.empty()) drained.cancel();
  }
};

}  // namespace

Ingest::Ingest(asio::any_io_executor executor, std::unique_ptr<Inbox> inbox, Clock& clock,
               runtime::Metrics& metrics, Options options)
    : executor_(executor),
      inbox_(std::move(inbox)),
      clock_(clock),
      options_(options),
      turns_(executor),
      ledger_{*inbox_,
              clock_,
              turns_,
              metrics.counter("infiniedge_hub_in_rows_total", "Rows taken from nodes."),
              metrics.counter("infiniedge_hub_repeated_messages_total",
                              "Messages of nodes that brought nothing new."),
              metrics.counter("infiniedge_hub_refused_messages_total",
                              "Messages of nodes that were wrong or came at the wrong time."),
              {options.credit, options.credit, options.credit, options.bulk_credit}},
      connections_(metrics.gauge("infiniedge_hub_connections", "Connections of nodes.")),
      drained_(executor, asio::steady_timer::time_point::max()),
      scope_(executor) {}

Ingest::~Ingest() = default;

Task<void> Ingest::serve(std::shared_ptr<runtime::http::WebSocket> socket, std::string principal) {
  if (closing_) {
    socket->close();
    co_return;
  }
  // The link asks through a pointer to itself: it exists by the time a Hello arrives.
  NodeLink* self = nullptr;
  const auto link = std::make_shared<NodeLink>(ledger_, std::move(socket),
                                               [this, principal, &self](const sync::Hello& hello) {
                                                 return admit(hello, principal, *self);
                                               });
  self = link.get();
  const Leaving leaving{links_, links_.insert(links_.end(), link), connections_, drained_};
  connections_.set(static_cast<double>(links_.size()));
  scope_.spawn(expire(link));
  const Error reason = co_await link->run();
  if (link->greeted()) nodes_[link->hello().gateway].last_seen = link->last_seen();
  const bool gone = reason.code() == Code::Unavailable || reason.code() == Code::Cancelled;
  runtime::log(gone ? runtime::Level::Info : runtime::Level::Warning, "hub",
               fmt::format("connection of node {} ended: {}",
                           link->greeted() ? sync::to_string(link->hello().gateway) : "(unknown)",
                           reason.describe()),
               {{"code", std::string{to_string(reason.code())}}});
}

Task<void> Ingest::expire(std::weak_ptr<NodeLink> link) {
  if (!co_await clock_.sleep_for(options_.greeting)) co_return;
  if (const auto there = link.lock(); there && !there->greeted()) there->close();
}

Result<void> Ingest::admit(const sync::Hello& hello, const std::string& principal, NodeLink& link) {
  const std::string gateway = sync::to_string(hello.gateway);
  if (principal.starts_with(kCertificateName) &&
      principal.substr(kCertificateName.size()) != gateway) {
    return Error{Code::Denied,
                 fmt::format("the certificate is of {}, not of gateway {}", principal, gateway)};
  }
  Node& node = nodes_[hello.gateway];
  const bool taken = std::any_of(links_.begin(), links_.end(), [&](const auto& other) {
    return other.get() != &link && other->greeted() && other->hello().gateway == hello.gateway;
  });
  if (taken && node.principal != principal) {
    return Error{Code::Denied,
                 fmt::format("gateway {} is connected with other credentials; was the node's data "
                             "directory copied to a second machine?",
                             gateway)};
  }
  node.principal = principal;
  node.name = hello.name;
  node.last_seen = clock_.wall();
  // The node would not call again if the connection before were alive.
  for (const auto& other : links_) {
    if (other.get() != &link && other->greeted() && other->hello().gateway == hello.gateway &&
        other->hello().first_lane == hello.first_lane) {
      other->close();
    }
  }
  return {};
}

Task<void> Ingest::close() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  closing_ = true;
  for (const auto& link : links_) link->close();
  while (!links_.empty()) co_await drained_.async_wait(asio::as_tuple(asio::use_awaitable));
  co_await scope_.close();
}

std::vector<NodeInfo> Ingest::nodes() const {
  std::map<record::GatewayId, NodeInfo> found;
  for (const auto& [gateway, node] : nodes_) {
    found[gateway].name = node.name;
    found[gateway].last_seen = node.last_seen;
  }
  for (const auto& link : links_) {
    if (!link->greeted()) continue;
    auto& info = found[link->hello().gateway];
    info.connected = true;
    info.last_seen = std::max(info.last_seen, link->last_seen());
  }
  for (const auto& stream : inbox_->streams()) {
    const auto covered = inbox_->covered(stream.id, stream.epoch);
    found[stream.origin].streams.push_back({.name = stream.schema->stream,
                                            .epoch = stream.epoch,
                                            .high_water = sync::high_water(covered),
                                            .rows = inbox_->rows(stream.id)});
  }
  std::vector<NodeInfo> out;
  for (auto& [gateway, info] : found) {
    info.gateway = sync::to_string(gateway);
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace infiniedge::hub
