// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "infiniedge/batch.hpp"

namespace infiniedge::record {

/// How the values of one column of a block are written. Stored and sent; never renumber.
enum class Encoding : std::uint8_t {
  Const = 0,
  For = 1,
  DeltaFor = 2,
  Double = 3,
  Dict = 4,
  Bytes = 5
};

/// Append one column's data in the smallest encoding that fits; return which.
/// Require: at least one value.
Encoding encode_ints(std::string& out, std::span<const std::int64_t> values);
Encoding encode_floats(std::string& out, std::span<const double> values);
/// Nulls take no bytes.
Encoding encode_text(std::string& out, const Binary& values, const std::vector<bool>& nulls);

/// What is wrong with outside bytes, or nothing.
using Fault = std::optional<std::string_view>;

struct EncodedColumn {
  Encoding encoding;
  base::ByteView data;
  std::size_t rows;
  const std::vector<bool>* nulls = nullptr;  ///< Null or empty: none.

  bool is_null(std::size_t row) const {
    return nulls != nullptr && !nulls->empty() && (*nulls)[row];
  }
};

/// Decode a column of outside bytes: all of `data`, exactly `rows` values, or a fault.
Fault decode_ints(const EncodedColumn& column, std::vector<std::int64_t>& out);
Fault decode_floats(const EncodedColumn& column, std::vector<double>& out);
/// `text_left`: bytes that the block may still expand to; reduced by what this column takes.
/// Null rows come out empty.
Fault decode_text(const EncodedColumn& column, std::size_t& text_left, Binary& out);

}  // namespace infiniedge::record
