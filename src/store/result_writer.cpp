// SPDX-License-Identifier: Apache-2.0
#include "store/result_writer.hpp"

#include <fmt/format.h>

#include <memory>

#include "store/value_text.hpp"

namespace infiniedge::store {
namespace {

using duck::TypeId;

constexpr std::pair<TypeId, std::string_view> kTypeNames[] = {{TypeId::Boolean, "boolean"},
                                                              {TypeId::TinyInt, "tinyint"},
                                                              {TypeId::SmallInt, "smallint"},
                                                              {TypeId::Integer, "integer"},
                                                              {TypeId::BigInt, "bigint"},
                                                              {TypeId::UTinyInt, "utinyint"},
                                                              {TypeId::USmallInt, "usmallint"},
                                                              {TypeId::UInteger, "uinteger"},
                                                              {TypeId::UBigInt, "ubigint"},
                                                              {TypeId::Float, "float"},
                                                              {TypeId::Double, "double"},
                                                              {TypeId::Timestamp, "timestamp"},
                                                              {TypeId::Date, "date"},
                                                              {TypeId::Time, "time"},
                                                              {TypeId::Interval, "interval"},
                                                              {TypeId::HugeInt, "hugeint"},
                                                              {TypeId::Varchar, "varchar"},
                                                              {TypeId::Blob, "blob"},
                                                              {TypeId::Decimal, "decimal"},
                                                              {TypeId::TimestampS, "timestamp_s"},
                                                              {TypeId::TimestampMs, "timestamp_ms"},
                                                              {TypeId::TimestampNs, "timestamp_ns"},
                                                              {TypeId::Enum, "enum"},
                                                              {TypeId::List, "list"},
                                                              {TypeId::Struct, "struct"},
                                                              {TypeId::Map, "map"},
                                                              {TypeId::Uuid, "uuid"},
                                                              {TypeId::TimestampTz, "timestamptz"},
                                                              {TypeId::UHugeInt, "uhugeint"},
                                                              {TypeId::Null, "null"}};

std::string owned(const duck::Api& api, char* text) {
  std::string out = text != nullptr ? text : "";
  if (text != nullptr) api.free(text);
  return out;
}

Result<void> add_child(const duck::Api& api, ValueType& parent, duck::LogicalType type) {
  auto child = value_type(api, type);
  if (!child) return std::move(child).error();
  parent.children.push_back(std::move(*child));
  return {};
}

Result<void> describe_nested(const duck::Api& api, duck::LogicalType type, ValueType& out) {
  if (out.id == TypeId::List) return add_child(api, out, api.list_type_child_type(type));
  if (out.id == TypeId::Struct) {
    const auto members = api.struct_type_child_count(type);
    for (duck::idx_t i = 0; i < members; ++i) {
      out.names.push_back(owned(api, api.struct_type_child_name(type, i)));
      INFINIEDGE_TRY(add_child(api, out, api.struct_type_child_type(type, i)));
    }
  }
  if (out.id == TypeId::Map) {  // Stored as a list of {key, value}.
    ValueType entry{.id = TypeId::Struct, .names = {"key", "value"}};
    INFINIEDGE_TRY(add_child(api, entry, api.map_type_key_type(type)));
    INFINIEDGE_TRY(add_child(api, entry, api.map_type_value_type(type)));
    out.children.push_back(std::move(entry));
  }
  return {};
}

Result<ValueType> describe(const duck::Api& api, duck::LogicalType type) {
  ValueType out{.id = static_cast<TypeId>(api.get_type_id(type))};
  bool known = false;
  for (const auto& [id, name] : kTypeNames) known = known || id == out.id;
  if (!known) {
    return Error{Code::Unsupported,
                 fmt::format("a result of DuckDB's type number {} has no text; cast it to VARCHAR",
                             static_cast<int>(out.id))};
  }
  if (out.id == TypeId::Decimal) {
    out.scale = api.decimal_scale(type);
    out.width = api.decimal_width(type);
    out.stored = static_cast<TypeId>(api.decimal_internal_type(type));
  }
  if (out.id == TypeId::Enum) {
    out.stored = static_cast<TypeId>(api.enum_internal_type(type));
    for (duck::idx_t i = 0;; ++i) {
      char* value = api.enum_dictionary_value(type, i);
      if (value == nullptr) break;
      out.names.push_back(owned(api, value));
    }
  }
  INFINIEDGE_TRY(describe_nested(api, type, out));
  return out;
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

std::string ValueType::name() const {
  if (id == TypeId::Decimal) return fmt::format("decimal({},{})", width, scale);
  for (const auto& [type, text] : kTypeNames) {
    if (type == id) return std::string(text);
  }
  return "unknown";
}

Result<ValueType> value_type(const duck::Api& api, duck::LogicalType type) {
  auto out = describe(api, type);
  api.destroy_logical_type(&type);
  return out;
}

ResultWriter::ResultWriter(const duck::Api& api, ResultFormat format, std::uint64_t max_rows,
                           std::size_t max_bytes)
    : api_(api), format_(format), max_rows_(max_rows), max_bytes_(max_bytes) {}

Result<void> ResultWriter::begin(DuckRows& rows) {
  for (std::size_t i = 0; i < rows.columns(); ++i) {
    auto type = value_type(api_, rows.type(i));
    if (!type) {
      return Error{type.error().code(), fmt::format("column {} (\"{}\"): {}", i + 1, rows.name(i),
                                                    type.error().message())};
    }
    columns_.push_back({rows.name(i), type->name()});
    types_.push_back(std::move(*type));
    std::string key;
    append_json_text(key, columns_.back().name);
    keys_.push_back(key + ':');
  }
  if (format_ == ResultFormat::Json) body_ = R"({"columns":[)";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (format_ == ResultFormat::Json) {
      body_ += i > 0 ? R"(,{"name":)" : R"({"name":)";
      append_json_text(body_, columns_[i].name);
      body_ += fmt::format(R"(,"type":"{}"}})", columns_[i].type);
    } else if (format_ == ResultFormat::Csv) {
      if (i > 0) body_ += ',';
      append_csv(body_, columns_[i].name);
    }
  }
  if (format_ == ResultFormat::Json) body_ += R"(],"rows":[)";
  if (format_ == ResultFormat::Csv) body_ += "\r\n";
  return {};
}

bool ResultWriter::add(duck::Chunk chunk) {
  std::vector<duck::Vector> vectors;
  for (std::size_t i = 0; i < types_.size(); ++i) {
    vectors.push_back(api_.data_chunk_get_vector(chunk, i));
  }
  const auto count = api_.data_chunk_get_size(chunk);
  for (duck::idx_t i = 0; i < count; ++i) {
    if (rows_ >= max_rows_ || body_.size() >= max_bytes_) {
      truncated_ = true;
      return false;
    }
    row(vectors, i);
    ++rows_;
  }
  return true;
}

void ResultWriter::row(const std::vector<duck::Vector>& vectors, std::size_t index) {
  const bool csv = format_ == ResultFormat::Csv, lines = format_ == ResultFormat::Ndjson;
  if (format_ == ResultFormat::Json) body_ += rows_ > 0 ? ",[" : "[";
  if (lines) body_ += '{';
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (i > 0) body_ += ',';
    if (lines) body_ += keys_[i];
    if (csv) {
      std::string value;
      append_value_text(value, api_, types_[i], vectors[i], index, false);
      append_csv(body_, value);
    } else {
      append_value_text(body_, api_, types_[i], vectors[i], index, true);
    }
  }
  body_ += csv ? "\r\n" : lines ? "}\n" : "]";
}

void ResultWriter::end(double elapsed_ms) {
  if (format_ != ResultFormat::Json) return;
  body_ += fmt::format(R"(],"row_count":{},"truncated":{},"elapsed_ms":{:.3f}}})", rows_,
                       truncated_, elapsed_ms);
}

}  // namespace infiniedge::store
