// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/block.hpp"
#include "record/definition.hpp"

namespace infiniedge::sync {

/// Device names as numbers on one connection. Names that blocks use for the first time wait here to
/// be introduced ahead of the block.
///
/// Thread: the session's.
class SentDevices final : public record::DeviceIds {
 public:
  std::uint32_t id_of(std::string_view name) override {
    const auto found = ids_.find(name);
    if (found != ids_.end()) return found->second;
    const auto id = static_cast<std::uint32_t>(names_.size() + 1);
    const auto at = ids_.emplace(name, id).first;
    names_.push_back(&at->first);
    fresh_.push_back({.id = id, .name = std::string{name}});
    return id;
  }
  std::optional<std::string_view> name_of(std::uint32_t id) const override {
    if (id == 0 || id > names_.size()) return std::nullopt;
    return *names_[id - 1];
  }
  /// Those not introduced yet.
  std::vector<record::DeviceDefinition> take_fresh() { return std::exchange(fresh_, {}); }

 private:
  std::map<std::string, std::uint32_t, std::less<>> ids_;
  std::vector<const std::string*> names_;  ///< Index id − 1; keys of a map stay where they are.
  std::vector<record::DeviceDefinition> fresh_;
};

}  // namespace infiniedge::sync
