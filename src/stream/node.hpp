// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stream/ast.hpp"
#include "stream/vec.hpp"

namespace infiniedge::stream {

/// What a kernel computes with: one vector an argument, each of `rows` values or constant.
struct Args {
  std::span<const Vec* const> values;
  std::size_t rows;

  const Vec& operator[](std::size_t i) const { return *values[i]; }
  std::size_t size() const { return values.size(); }
};

/// Computes one function over all rows of a frame. Pure; a failed value is push_error().
using Kernel = Vec (*)(const Args&);

/// Operators that the predicate index understands.
enum class Operator : std::uint8_t { None, And, Equal, Less, LessEqual, Greater, GreaterEqual, In };

struct Node;
using NodePtr = std::shared_ptr<const Node>;

/// Identity of an expression: equal keys compute equal values from the same rows.
struct NodeKey {
  std::uint64_t high = 0, low = 0;
  bool operator==(const NodeKey&) const = default;
};

/// One checked expression. Immutable; shared by every place and rule where it occurs.
struct Node {
  enum class Kind : std::uint8_t {
    Constant,
    Column,   ///< `column` of the frame
    Device,   ///< device name
    Time,     ///< ts
    Quality,  ///< _q
    Call
  };
  Kind kind = Kind::Constant;
  Type type = Type::Float;               ///< Never Decimal: see `resolution`.
  bool untyped = false;                  ///< A bare NULL.
  std::optional<Resolution> resolution;  ///< Values are decimals of this step.
  std::string unit;
  std::optional<std::size_t> width;  ///< Of bytes that hold floats: how many, if known.
  std::string text;                  ///< One spelling for one meaning.
  NodeKey key;
  bool local = false;  ///< Depends on columns that belong to one rule.
  std::size_t column = 0;
  Vec value;  ///< Of a constant.
  Kernel kernel = nullptr;
  Operator op = Operator::None;
  std::vector<NodePtr> args;
};

NodeKey key_of(std::string_view text);

}  // namespace infiniedge::stream

template <>
struct std::hash<infiniedge::stream::NodeKey> {
  std::size_t operator()(const infiniedge::stream::NodeKey& key) const noexcept { return key.low; }
};
