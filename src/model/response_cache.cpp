// SPDX-License-Identifier: Apache-2.0
#include "model/response_cache.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace infiniedge::model {
namespace {

/// A running hash in which no two different lists of values look the same: each is preceded by
/// its length.
class Hash {
 public:
  explicit Hash(std::span<const std::byte> secret) : state_(XXH3_createState()) {
    XXH3_128bits_reset_withSecret(state_.get(), secret.data(), secret.size());
  }
  void number(std::uint64_t value) { XXH3_128bits_update(state_.get(), &value, sizeof(value)); }
  void bytes(std::span<const std::byte> data) {
    number(data.size());
    XXH3_128bits_update(state_.get(), data.data(), data.size());
  }
  void text(std::string_view text) { bytes(std::as_bytes(std::span(text))); }
  ResponseCache::Key digest() const {
    const auto hash = XXH3_128bits_digest(state_.get());
    return {hash.high64, hash.low64};
  }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

std::size_t footprint(const std::vector<Tensor>& outputs) {
  std::size_t bytes = 256;  // List, map and vector nodes.
  for (const auto& output : outputs) {
    bytes += sizeof(Tensor) + output.name.size() + output.shape.size() * 8 + output.data.size();
  }
  return bytes;
}

/// The answer may be a view of a whole batch: what is kept is its own.
Tensor copy_of(const Tensor& tensor) {
  Tensor out = tensor;
  auto block = std::make_shared<std::vector<std::uint64_t>>(tensor.data.size() / 8 + 1);
  if (!tensor.data.empty()) std::memcpy(block->data(), tensor.data.data(), tensor.data.size());
  out.data = std::as_bytes(std::span(*block)).first(tensor.data.size());
  out.owner = std::move(block);
  return out;
}

}  // namespace

ResponseCache::ResponseCache(std::size_t max_bytes, runtime::Entropy& entropy)
    : max_bytes_(max_bytes) {
  entropy.fill(secret_);
}

ResponseCache::Key ResponseCache::key(const std::string& model, std::int64_t version,
                                      const CheckedRequest& request) const {
  Hash hash(secret_);
  hash.text(model);
  hash.number(static_cast<std::uint64_t>(version));
  hash.number(request.outputs.size());
  for (const auto output : request.outputs) hash.number(output);
  std::vector<const Tensor*> inputs;
  for (const auto& input : request.inputs) inputs.push_back(&input);
  std::sort(inputs.begin(), inputs.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  for (const auto* input : inputs) {
    hash.text(input->name);
    hash.number(static_cast<std::uint64_t>(input->type));
    hash.number(input->shape.size());
    for (const auto dim : input->shape) hash.number(static_cast<std::uint64_t>(dim));
    hash.bytes(input->data);
  }
  return hash.digest();
}

std::optional<std::vector<Tensor>> ResponseCache::find(const Key& key, Instant now) {
  const auto found = found_.find(key);
  if (found == found_.end()) return std::nullopt;
  const auto entry = found->second;
  if (entry->expires <= now) {
    erase(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->outputs;
}

void ResponseCache::put(const Key& key, const std::string& model,
                        const std::vector<Tensor>& outputs, Instant expires) {
  const auto bytes = footprint(outputs) + model.size();
  if (bytes > max_bytes_) return;
  if (const auto found = found_.find(key); found != found_.end()) erase(found->second);
  while (bytes_ + bytes > max_bytes_) erase(std::prev(entries_.end()));
  std::vector<Tensor> kept;
  kept.reserve(outputs.size());
  for (const auto& output : outputs) kept.push_back(copy_of(output));
  entries_.push_front({key, model, std::move(kept), expires, bytes});
  found_.emplace(key, entries_.begin());
  bytes_ += bytes;
}

void ResponseCache::flush(const std::string& model) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->model == model) erase(entry);
    entry = next;
  }
}

void ResponseCache::erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  found_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace infiniedge::model
