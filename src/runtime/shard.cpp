// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard.hpp"

#include <pthread.h>

namespace infiniedge::runtime {

Shard::Shard(std::string name) : name_(std::move(name)), work_(context_.get_executor()) {}

Shard::~Shard() { stop(); }

void Shard::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    run_here();
  });
}

// The main thread keeps its name: it is what ps shows for the process.
void Shard::run_here() { context_.run(); }

void Shard::stop() {
  work_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace infiniedge::runtime
