// SPDX-License-Identifier: Apache-2.0
#include "api/rpc/framing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "api/inference/coding.hpp"

namespace infiniedge::api::rpc {
namespace {

/// A promised length costs this much at most before the bytes come.
constexpr std::size_t kTrusted = 1U << 20;

std::string prefix_of(bool compressed, std::size_t length) {
  std::string out(5, '\0');
  out[0] = compressed ? 1 : 0;
  for (int i = 0; i < 4; ++i) out[4 - i] = static_cast<char>((length >> (8 * i)) & 0xFF);
  return out;
}

}  // namespace

bool Budget::take(std::size_t bytes) {
  const auto before = used_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= limit_) return true;
  give(bytes);
  return false;
}

bool Lease::grow_to(std::size_t bytes) {
  if (bytes <= bytes_) return true;
  if (!budget_->take(bytes - bytes_)) return false;
  bytes_ = bytes;
  return true;
}

void Lease::shrink_by(std::size_t bytes) {
  bytes = std::min(bytes, bytes_);
  budget_->give(bytes);
  bytes_ -= bytes;
}

MessageReader::MessageReader(std::string encoding, std::size_t limit,
                             std::shared_ptr<Budget> budget)
    : encoding_(std::move(encoding)), limit_(limit), budget_(std::move(budget)) {}

Result<void> MessageReader::put(std::string_view bytes, std::deque<Message>& out) {
  while (!bytes.empty()) {
    if (prefix_size_ < sizeof prefix_) {
      const auto n = std::min(bytes.size(), sizeof prefix_ - prefix_size_);
      std::memcpy(prefix_ + prefix_size_, bytes.data(), n);
      prefix_size_ += n;
      bytes.remove_prefix(n);
      if (prefix_size_ < sizeof prefix_) return {};
      INFINIEDGE_TRY(start());
    }
    const auto n = std::min(bytes.size(), length_ - block_->bytes.size());
    INFINIEDGE_TRY(take(bytes.substr(0, n)));
    bytes.remove_prefix(n);
    if (block_->bytes.size() < length_) continue;
    auto message = finish();
    if (!message) return std::move(message).error();
    out.push_back(std::move(*message));
  }
  return {};
}

Result<void> MessageReader::start() {
  length_ = 0;
  for (int i = 1; i < 5; ++i) length_ = length_ << 8 | static_cast<unsigned char>(prefix_[i]);
  if (prefix_[0] != 0 && prefix_[0] != 1) {
    return Error{Code::Corrupt, "a message begins with neither 0 nor 1: the framing is broken"};
  }
  compressed_ = prefix_[0] == 1;
  if (compressed_ && encoding_.empty()) {
    return Error{Code::Corrupt, "a message is compressed, but the call names no grpc-encoding"};
  }
  if (length_ > limit_) {
    return Error{Code::Invalid,
                 fmt::format("the message has {} bytes, at most {} are accepted", length_, limit_)};
  }
  block_ = std::make_shared<Block>(budget_);
  return {};
}

Result<void> MessageReader::take(std::string_view bytes) {
  auto& have = block_->bytes;
  if (have.capacity() < have.size() + bytes.size()) {
    const auto wanted =
        std::min(length_, std::max({kTrusted, have.size() * 2, have.size() + bytes.size()}));
    if (!block_->lease.grow_to(wanted)) {
      return Error{Code::Exhausted, "the server holds too many messages; try again later"};
    }
    have.reserve(wanted);
  }
  have.append(bytes);
  return {};
}

Result<Message> MessageReader::finish() {
  prefix_size_ = 0;
  auto block = std::exchange(block_, nullptr);
  const Message packed(block, &block->bytes);
  if (!compressed_) return packed;
  auto plain = inference::decode_body(encoding_, packed, limit_);
  if (!plain) return std::move(plain).error();
  auto unpacked = std::make_shared<Block>(budget_);
  if (!unpacked->lease.grow_to((*plain)->size())) {
    return Error{Code::Exhausted, "the server holds too many messages; try again later"};
  }
  // The lease lives as long as the text does.
  struct Held {
    std::shared_ptr<Block> block;
    Message text;
  };
  auto held = std::make_shared<Held>(Held{std::move(unpacked), std::move(*plain)});
  const auto* text = held->text.get();
  return Message(std::move(held), text);
}

std::string& Payload::text() {
  if (segments_.empty() || segments_.back().owner) segments_.emplace_back();
  return segments_.back().own;
}

void Payload::add(std::string_view bytes, std::shared_ptr<const void> owner) {
  segments_.push_back({.view = bytes, .owner = std::move(owner)});
}

void Payload::prepend(std::string_view text) {
  if (segments_.empty() || segments_[0].owner) {
    segments_.insert(segments_.begin(), Segment{.own = std::string{text}});
  } else {
    segments_[0].own.insert(0, text);
  }
}

std::size_t Payload::size() const {
  std::size_t size = 0;
  for (const auto& segment : segments_) size += segment.bytes().size();
  return size;
}

std::vector<Payload::Segment> Payload::framed(std::string_view encoding) && {
  const bool compress = encoding == "gzip" || encoding == "deflate";
  if (compress) {
    std::string whole;
    whole.reserve(size());
    for (const auto& segment : segments_) whole.append(segment.bytes());
    const auto coding = encoding == "gzip" ? inference::Coding::Gzip : inference::Coding::Deflate;
    segments_.assign(1, Segment{.own = inference::encode_body(coding, whole)});
  }
  prepend(prefix_of(compress, size()));
  return std::move(segments_);
}

}  // namespace infiniedge::api::rpc
