// SPDX-License-Identifier: Apache-2.0
#include "sync/testing/sim_link.hpp"

#include "runtime/channel.hpp"
#include "sync/frame.hpp"

namespace infiniedge::sync::testing {
namespace {

struct Wire {
  Wire(const boost::asio::any_io_executor& executor, runtime::Entropy& random, LinkFaults how)
      : there(executor, 64), back(executor, 64), entropy(random), faults(how) {}

  /// Ends both directions. What is queued still arrives unless `lossy`.
  void end(bool lossy) {
    if (broken) return;
    broken = true;
    for (auto* channel : {&there, &back}) {
      // A sender that waits for room would wait for ever: what is before it goes.
      const bool lost = blocked > 0 || (lossy && entropy.unit() < 0.5);
      while (lost && channel->try_receive()) {
      }
      channel->close();
    }
  }

  int blocked = 0;  ///< Sends under way.
  runtime::Channel<std::string> there, back;
  runtime::Entropy& entropy;
  LinkFaults faults;
  bool broken = false;
};

bool may_repeat(const std::string& message) {
  const auto type = static_cast<FrameType>(message[0]);
  return type == FrameType::Schema || type == FrameType::Data || type == FrameType::Ack ||
         type == FrameType::Nack || type == FrameType::Gap;
}

class SimLink final : public Link {
 public:
  SimLink(std::shared_ptr<Wire> wire, runtime::Channel<std::string>& out,
          runtime::Channel<std::string>& in)
      : wire_(std::move(wire)), out_(out), in_(in) {}

  Task<Result<void>> send(std::string message) override {
    if (wire_->entropy.unit() < wire_->faults.cut) wire_->end(true);
    if (wire_->broken) co_return Error{Code::Unavailable, "the link was cut"};
    const bool twice = may_repeat(message) && wire_->entropy.unit() < wire_->faults.duplicate;
    ++wire_->blocked;
    auto sent = co_await out_.send(message);
    if (sent && twice) sent = co_await out_.send(std::move(message));
    --wire_->blocked;
    if (!sent) co_return Error{Code::Unavailable, "the link was cut"};
    if (wire_->entropy.unit() < wire_->faults.cut) wire_->end(true);
    co_return Result<void>{};
  }

  Task<Result<std::string>> receive() override {
    auto message = co_await in_.receive();
    if (!message) co_return Error{Code::Unavailable, "the link was cut"};
    co_return std::move(*message);
  }

  void close() override { wire_->end(false); }

 private:
  std::shared_ptr<Wire> wire_;
  runtime::Channel<std::string>&out_, &in_;
};

}  // namespace

std::pair<std::shared_ptr<Link>, std::shared_ptr<Link>> make_sim_link(
    boost::asio::any_io_executor executor, runtime::Entropy& entropy, LinkFaults faults) {
  auto wire = std::make_shared<Wire>(executor, entropy, faults);
  return {std::make_shared<SimLink>(wire, wire->there, wire->back),
          std::make_shared<SimLink>(wire, wire->back, wire->there)};
}

}  // namespace infiniedge::sync::testing
