// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "record/block.hpp"

namespace infiniedge::record {

/// Device names and ids in both directions. `on_new` is told of each name that id_of() sees first,
/// so that its definition can go ahead of the block.
///
/// Thread: its owner's.
class DeviceTable final : public DeviceIds {
 public:
  using OnNew = std::function<void(std::uint32_t id, std::string_view name)>;
  void on_new(OnNew listener) { on_new_ = std::move(listener); }

  std::uint32_t id_of(std::string_view name) override {
    if (const auto found = ids_.find(name); found != ids_.end()) return found->second;
    const std::uint32_t id = next_++;
    restore(id, name);
    if (on_new_) on_new_(id, name);
    return id;
  }
  std::optional<std::string_view> name_of(std::uint32_t id) const override {
    const auto found = names_.find(id);
    if (found == names_.end()) return std::nullopt;
    return found->second;
  }
  /// A stored or received definition; a later one of the same id wins.
  void restore(std::uint32_t id, std::string_view name) {
    std::string& stored = names_[id];
    if (const auto old = ids_.find(stored); old != ids_.end() && old->second == id) ids_.erase(old);
    stored = name;
    ids_[stored] = id;
    if (id >= next_ && id < UINT32_MAX) next_ = id + 1;
  }
  const std::map<std::uint32_t, std::string>& names() const { return names_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  OnNew on_new_;
  std::map<std::uint32_t, std::string> names_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ids_;
  std::uint32_t next_ = 1;
};

}  // namespace infiniedge::record
