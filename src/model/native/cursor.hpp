// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::model::native {

/// A value of a JSON document that knows its path, for reading strictly. Lives on the stack: a
/// child points to its parent. Errors: Invalid, `$.layers[0].bias[3]: …`.
class Cursor {
 public:
  struct Member {
    std::string_view key;
    bool required;
    std::function<Result<void>(const Cursor&)> read;
  };

  explicit Cursor(simdjson::dom::element root) : element_(root) {}

  Error error(std::string_view what) const;
  /// Every member is one of `known`, once, and the required ones are there.
  Result<void> object(std::span<const Member> known) const;
  /// A list of `low` to `high` items, read one by one.
  Result<void> list(std::size_t low, std::size_t high,
                    const std::function<Result<void>(const Cursor&)>& read) const;
  Result<double> number() const;
  /// A number that fits a float.
  Result<float> single() const;
  Result<std::int64_t> integer(std::int64_t low, std::int64_t high) const;
  Result<std::string> text() const;
  /// A list of exactly `count` numbers that fit a float, appended to `out`.
  Result<void> floats(std::size_t count, std::vector<float>& out) const;
  std::size_t size() const;  ///< Items of a list; 0 of anything else.

 private:
  Cursor(simdjson::dom::element element, const Cursor* up, std::string_view key, std::size_t index)
      : element_(element), up_(up), key_(key), index_(index) {}
  std::string path() const;

  simdjson::dom::element element_;
  const Cursor* up_ = nullptr;
  std::string_view key_{};  ///< Empty: an item of a list, at index_.
  std::size_t index_ = 0;
};

}  // namespace infiniedge::model::native
