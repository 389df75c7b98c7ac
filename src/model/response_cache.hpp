// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "infiniedge/tensor.hpp"
#include "infiniedge/time.hpp"
#include "model/request.hpp"
#include "runtime/entropy.hpp"

namespace infiniedge::model {

/// Answers that were given, for requests that come again: bounded in bytes, the least recently
/// used first out, each for as long as its model says.
///
/// Thread: the server's shard.
/// Owner:  Server.
class ResponseCache {
 public:
  using Key = std::pair<std::uint64_t, std::uint64_t>;

  /// The hash has a secret of this process, so that nobody can prepare two requests that meet.
  ResponseCache(std::size_t max_bytes, runtime::Entropy& entropy);

  /// XXH3 (128 bits) over model, version, wanted outputs, and the inputs, sorted by name: name,
  /// type, shape, bytes.
  Key key(const std::string& model, std::int64_t version, const CheckedRequest& request) const;

  /// The answer, now the most recently used; or nothing, also where it has become too old.
  std::optional<std::vector<Tensor>> find(const Key& key, Instant now);
  /// Keeps a copy until `expires`. An answer larger than the whole cache is not kept.
  void put(const Key& key, const std::string& model, const std::vector<Tensor>& outputs,
           Instant expires);
  /// Forgets what a model has answered: it was swapped or unloaded.
  void flush(const std::string& model);

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Key key;
    std::string model;
    std::vector<Tensor> outputs;
    Instant expires;
    std::size_t bytes;
  };
  using Entries = std::list<Entry>;
  void erase(Entries::iterator entry);

  static constexpr std::size_t kSecretBytes = 192;
  std::size_t max_bytes_;
  std::array<std::byte, kSecretBytes> secret_{};
  Entries entries_;  ///< Most recently used first.
  std::map<Key, Entries::iterator> found_;
  std::size_t bytes_ = 0;
};

}  // namespace infiniedge::model
