// SPDX-License-Identifier: Apache-2.0
#include "model/sequence_routes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/served.hpp"

namespace infiniedge::model {
namespace {

constexpr std::size_t kMostEnded = 1024;

}  // namespace

void SequenceRoutes::leave(const std::shared_ptr<Served>& old, Why why) {
  if (old->sequences() == nullptr) return;
  if (why == Why::Unloaded) {
    end(old, why);
    return;
  }
  std::erase_if(leaving_, [](const auto& each) { return each.expired(); });
  leaving_.push_back(old);
}

void SequenceRoutes::end(const std::shared_ptr<Served>& old, Why why) {
  const auto& model = old->config().name;
  const auto text = fmt::format(
      "its sequence ended when version {} of '{}' was {}; begin it again with START",
      old->version(), model, why == Why::Replaced ? "swapped for a newer one" : "unloaded");
  for (const auto& id : old->sequences()->ids()) {
    Name name{model, id};
    if (!ended_.insert_or_assign(name, text).second) continue;
    oldest_.push_back(std::move(name));
    if (oldest_.size() <= kMostEnded) continue;
    ended_.erase(oldest_.front());
    oldest_.pop_front();
  }
  old->sequences()->end_all({Code::Unavailable, text});
}

void SequenceRoutes::end_all() {
  for (const auto& each : leaving_) {
    if (const auto old = each.lock()) old->abandon();
  }
}

Result<std::shared_ptr<Served>> SequenceRoutes::find(const std::string& model,
                                                     const std::string& version,
                                                     const SequenceId& sequence,
                                                     Result<std::shared_ptr<Served>> current) {
  const Name name{model, sequence.id};
  if (sequence.start) {
    if (ended_.erase(name) > 0) std::erase(oldest_, name);
    return current;
  }
  if (current && (*current)->sequences() && (*current)->sequences()->holds(sequence.id)) {
    return current;
  }
  for (const auto& each : leaving_) {
    auto old = each.lock();
    if (!old || old->config().name != model || !old->sequences()->holds(sequence.id)) continue;
    if (version.empty() || version == std::to_string(old->version())) {
      return old;
    }
  }
  const auto ended = ended_.find(name);
  if (ended != ended_.end()) return Error{Code::Unavailable, ended->second};
  return current;
}

}  // namespace infiniedge::model
