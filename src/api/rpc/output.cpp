// SPDX-License-Identifier: Apache-2.0
#include "api/rpc/output.hpp"

namespace infiniedge::api::rpc {
namespace {

/// Below it a copy is cheaper than one more buffer in the system call.
constexpr std::size_t kWorthReferring = 4U << 10;

}  // namespace

void Output::copy(std::string_view bytes) {
  if (bytes.empty()) return;
  if (parts_.empty() || parts_.back().owner) parts_.push_back({.at = text_.size()});
  text_.append(bytes);
  parts_.back().size += bytes.size();
  size_ += bytes.size();
}

void Output::refer(std::string_view bytes, const std::shared_ptr<const void>& owner) {
  if (flat_ || !owner || bytes.size() < kWorthReferring) return copy(bytes);
  parts_.push_back({.size = bytes.size(), .data = bytes.data(), .owner = owner});
  size_ += bytes.size();
}

void Output::clear() {
  text_.clear();
  parts_.clear();
  size_ = 0;
}

std::vector<boost::asio::const_buffer> Output::buffers() const {
  std::vector<boost::asio::const_buffer> out;
  out.reserve(parts_.size());
  for (const auto& part : parts_) {
    out.emplace_back(part.owner ? part.data : text_.data() + part.at, part.size);
  }
  return out;
}

}  // namespace infiniedge::api::rpc
