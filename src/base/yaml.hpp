// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::base::yaml {

/// Where a node stands in its text: 1-based; columns in code points; `end` is past the last
/// character, on the same line.
struct Mark {
  int line = 1;
  int column = 1;
  int end = 1;
};

/// A node of a YAML (or JSON) document, with positions. A tree of values: aliases and merge keys
/// are resolved. Scalars keep their text; what it means is the schema's matter, so that `NO` in
/// a string field stays `NO`.
struct Node {
  enum class Kind : std::uint8_t { Null, Scalar, Sequence, Mapping };
  struct Entry;

  Kind kind = Kind::Null;
  std::string text;    ///< Of a scalar.
  bool plain = false;  ///< Scalar without quotes: may mean a number, bool or null.
  bool block = false;  ///< Scalar in `|` style: `mark` is where its first line starts.
  Mark mark;
  std::vector<Node> items;     ///< Of a sequence.
  std::vector<Entry> entries;  ///< Of a mapping, in order, keys unique.

  const Node* find(std::string_view key) const;
  const Entry* entry(std::string_view key) const;
  bool is_null() const {
    return kind == Kind::Null ||
           (kind == Kind::Scalar && plain && (text.empty() || text == "~" || text == "null"));
  }
};

struct Node::Entry {
  std::string key;
  Mark mark;  ///< Of the key.
  Node value;
};

struct Limits {
  std::size_t bytes = 4U << 20;
  std::size_t nodes = 100'000;  ///< After aliases: no "billion laughs".
  int depth = 64;
};

struct Parsed {
  std::vector<Node> documents;  ///< Those before the first syntax error.
  Diagnostics diagnostics;
};

/// Reads all documents of `text`. Faults have ids `syntax` or `duplicate-key`, and `file`.
Parsed parse(std::string_view text, const std::string& file, const Limits& limits = {});

}  // namespace infiniedge::base::yaml
