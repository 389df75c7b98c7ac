// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"
#include "store/duckdb_session.hpp"

namespace infiniedge::store {

enum class ResultFormat : std::uint8_t { Json, Ndjson, Csv };

struct QueryColumn {
  std::string name;
  std::string type;  ///< As in SQL, lower case: "timestamp", "decimal(18,2)", "double".
};

/// A DuckDB type, as far as writing its values needs it.
struct ValueType {
  duck::TypeId id = duck::TypeId::Invalid;
  int scale = 0, width = 0;
  duck::TypeId stored = duck::TypeId::Invalid;  ///< Of decimals and enums.
  std::vector<std::string> names{};             ///< Of a struct's members, or an enum's values.
  std::vector<ValueType> children{};
  std::string name() const;
};
/// Takes over `type`. Errors: Unsupported, naming the type.
Result<ValueType> value_type(const duck::Api& api, duck::LogicalType type);

/// Writes the rows of a statement as text: times as RFC 3339 in UTC, decimals digit by digit,
/// bytes as base64, NaN and infinity as null.
///
/// Json:   {"columns":[{"name","type"}…],"rows":[[…]…],"row_count":n,"truncated":b,"elapsed_ms":x}
/// Ndjson: one object a row. Csv: RFC 4180 with a header line, null as nothing.
/// Thread: the worker that runs the query.
class ResultWriter {
 public:
  ResultWriter(const duck::Api& api, ResultFormat format, std::uint64_t max_rows,
               std::size_t max_bytes);

  /// Errors: Unsupported, naming a column of a type that has no text here.
  Result<void> begin(DuckRows& rows);
  /// False when one of the limits is reached; the rest is cut off.
  bool add(duck::Chunk chunk);
  void end(double elapsed_ms);

  const std::vector<QueryColumn>& columns() const { return columns_; }
  std::uint64_t rows() const { return rows_; }
  bool truncated() const { return truncated_; }
  std::string& body() { return body_; }

 private:
  void row(const std::vector<duck::Vector>& vectors, std::size_t index);

  const duck::Api& api_;
  ResultFormat format_;
  std::uint64_t max_rows_;
  std::size_t max_bytes_;
  std::vector<QueryColumn> columns_;
  std::vector<ValueType> types_;
  std::vector<std::string> keys_;  ///< Names as JSON strings, with colon.
  std::string body_;
  std::uint64_t rows_ = 0;
  bool truncated_ = false;
};

}  // namespace infiniedge::store
