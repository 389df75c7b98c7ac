// SPDX-License-Identifier: Apache-2.0
#include "runtime/workers.hpp"

#include <pthread.h>

namespace infiniedge::runtime {

Workers::Workers(std::string name, std::size_t threads, std::size_t limit)
    : name_(std::move(name)), limit_(limit), inline_(threads == 0), pool_(threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    boost::asio::post(pool_, [thread_name = name_.substr(0, 15)] {
      pthread_setname_np(pthread_self(), thread_name.c_str());
    });
  }
}

Workers::~Workers() { join(); }

void Workers::join() { pool_.join(); }

bool Workers::reserve() {
  if (pending_.fetch_add(1, std::memory_order_relaxed) < limit_) return true;
  release();
  return false;
}

}  // namespace infiniedge::runtime
