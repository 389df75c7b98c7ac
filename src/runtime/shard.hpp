// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <thread>

namespace infiniedge::runtime {

/// One thread running one io_context. Every mutable object belongs to one shard; there are no
/// strands and no locks in pipeline code.
///
/// Thread: start() and stop() from the owner; executor() from any.
/// Owner:  app, or a test.
class Shard {
 public:
  explicit Shard(std::string name);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Runs the loop on a new thread named after the shard.
  void start();
  /// Runs the loop on the calling thread until stop(): for main() and for tests.
  void run_here();
  /// Ends run_here() from within the loop.
  void stop_here() { context_.stop(); }
  /// Ends the loop and joins. Handlers not yet run are dropped. Idempotent.
  void stop();

  boost::asio::io_context& context() { return context_; }
  boost::asio::any_io_executor executor() { return context_.get_executor(); }

 private:
  std::string name_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace infiniedge::runtime
