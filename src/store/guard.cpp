// SPDX-License-Identifier: Apache-2.0
#include "store/guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/suggest.hpp"
#include "store/sql_error.hpp"

namespace infiniedge::store {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxText = std::size_t{1} << 20;
// DuckDB allows 1,000 nested expressions; each is an object in an array.
constexpr std::size_t kMaxDepth = 2500;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string_view text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

/// Functions that look at, or touch, anything but their arguments.
bool is_forbidden(std::string_view name) {
  static const std::set<std::string, std::less<>> kNames = {
      "getenv",         "getvariable",    "current_setting", "set_config", "nextval",
      "currval",        "write_log",      "sleep_ms",        "version",    "txid_current",
      "current_query",  "in_search_path", "get_block_size",  "stats",      "vector_type",
      "query",          "query_table",    "current_schemas", "ie_mem",     "current_database",
      "current_catalog"};
  constexpr std::string_view kPrefixes[] = {
      "pg_",           "duckdb_",           "json_serialize_", "has_",     "inet_",        "read_",
      "json_execute_", "json_deserialize_", "pragma_",         "parquet_", "parse_duckdb_"};
  return kNames.contains(name) ||
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// DuckDB would open the file that such a name spells.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.find_first_of("./\\:*?[]{}~%$@") == std::string_view::npos;
}

class Walker {
 public:
  Walker(DuckConnection& connection, std::string_view sql, const std::vector<QueryParam>& params,
         const KnownNames& known, base::Diagnostic& diagnostic)
      : connection_(connection),
        sql_(sql),
        params_(params),
        known_(known),
        diagnostic_(diagnostic) {}

  bool walk(const json::value& value) {
    if (const auto* array = value.if_array()) {
      return std::all_of(array->begin(), array->end(),
                         [&](const auto& item) { return walk(item); });
    }
    const auto* object = value.if_object();
    if (object == nullptr) return true;
    if (object->contains("class")) return expression(*object);
    const std::string_view type = text(*object, "type");
    if (type.ends_with("_NODE")) return node(*object, type);
    if (object->contains("sample") && object->contains("query_location")) {
      return table(*object, type);
    }
    return children(*object);
  }
  GuardedQuery& query() { return query_; }

 private:
  bool children(const json::object& object) {
    return std::all_of(object.begin(), object.end(),
                       [&](const auto& entry) { return walk(entry.value()); });
  }

  bool node(const json::object& object, std::string_view type) {
    const std::size_t outer = scope_.size();
    bool good = false;
    if (type == "SELECT_NODE") {
      good = common_tables(object) && select(object);
    } else if (type == "SET_OPERATION_NODE") {
      good = common_tables(object) && children(object);
    } else if (type == "RECURSIVE_CTE_NODE") {
      good = common_tables(object) && recursive(object);
    } else {
      good = refuse(object, "unsupported", fmt::format("{} is not allowed here", type));
    }
    scope_.resize(outer);
    return good;
  }

  // A WITH name is visible to those after it and to the body; to itself only where it recurses.
  bool common_tables(const json::object& object) {
    const json::value* map = object.if_contains("cte_map");
    if (map == nullptr) return true;
    const json::value* entries = map->is_object() ? map->get_object().if_contains("map") : nullptr;
    if (entries == nullptr || !entries->is_array())
      return refuse(object, "unsupported", "WITH is not understood");
    for (const json::value& entry : entries->get_array()) {
      const auto* pair = entry.if_object();
      if (pair == nullptr) return refuse(object, "unsupported", "WITH is not understood");
      const std::string_view name = text(*pair, "key");
      if (!is_plain_name(name)) {
        return refuse(object, "invalid-query",
                      fmt::format("a WITH name may not contain punctuation: \"{}\"", name));
      }
      const json::value* body = pair->if_contains("value");
      if (body == nullptr || !walk(*body)) return false;
      scope_.push_back(lower(name));
    }
    return true;
  }

  bool recursive(const json::object& object) {
    for (const auto& entry : object) {
      if (entry.key() == "cte_map" || entry.key() == "right") continue;
      if (!walk(entry.value())) return false;
    }
    const std::string_view name = text(object, "cte_name");
    if (!is_plain_name(name))
      return refuse(object, "invalid-query", "a WITH name may not contain punctuation");
    const json::value* right = object.if_contains("right");
    scope_.push_back(lower(name));
    const bool good = right != nullptr && walk(*right);
    scope_.pop_back();
    return good;
  }

  bool select(const json::object& object) {
    const json::value* from = object.if_contains("from_table");
    const auto* source = from != nullptr ? from->if_object() : nullptr;
    if (source == nullptr || !source->contains("sample") || !source->contains("query_location")) {
      return refuse(object, "unsupported", "FROM is not understood");
    }
    range_ = time_range(object, params_, connection_);
    if (!table(*source, text(*source, "type"))) return false;
    for (const auto& entry : object) {
      if (entry.key() == "cte_map" || entry.key() == "from_table") continue;
      if (!walk(entry.value())) return false;
    }
    return true;
  }

  bool table(const json::object& object, std::string_view type) {
    const TimeRange range = std::exchange(range_, TimeRange{});
    if (type == "BASE_TABLE") return base_table(object, range);
    if (type == "TABLE_FUNCTION") return table_function(object);
    if (type == "SUBQUERY" || type == "JOIN" || type == "EMPTY" || type == "EXPRESSION_LIST" ||
        type == "PIVOT") {
      return children(object);
    }
    if (type == "SHOW_REF") {
      return refuse(object, "unsupported",
                    "SHOW, DESCRIBE and SUMMARIZE are not allowed; SELECT from the view streams");
    }
    return refuse(object, "unsupported", fmt::format("{} is not allowed in FROM", type));
  }

  bool base_table(const json::object& object, const TimeRange& range) {
    const std::string written(text(object, "table_name"));
    const std::string name = lower(written);
    const std::string schema = lower(text(object, "schema_name"));
    const json::value* at = object.if_contains("at_clause");
    if (!text(object, "catalog_name").empty() || (!schema.empty() && schema != "main")) {
      return refuse(object, "unknown-reference", "only streams can be read, without a schema");
    }
    if (at != nullptr && !at->is_null()) return refuse(object, "unsupported", "AT is not allowed");
    if (schema.empty() && std::find(scope_.begin(), scope_.end(), name) != scope_.end())
      return true;
    const std::string spelling = sql_spelling(name);
    if (std::find(known_.tables.begin(), known_.tables.end(), spelling) == known_.tables.end()) {
      return unknown(object, written);
    }
    const auto [use, added] = query_.tables.try_emplace(name, TableUse{spelling, range});
    if (!added) use->second.range = use->second.range.hull(range);
    return true;
  }

  bool table_function(const json::object& object) {
    const json::value* call = object.if_contains("function");
    const auto* function = call != nullptr ? call->if_object() : nullptr;
    const std::string name = function != nullptr ? lower(text(*function, "function_name")) : "";
    if (name != "unnest" && name != "range" && name != "generate_series") {
      return refuse(object, "unsupported",
                    fmt::format("{}() is not allowed in FROM; read a stream, or use unnest, range "
                                "or generate_series",
                                name));
    }
    return children(object);
  }

  bool expression(const json::object& object) {
    const std::string_view kind = text(object, "class");
    if (kind == "FUNCTION" || kind == "WINDOW") {
      const std::string name = lower(text(object, "function_name"));
      const std::string schema = lower(text(object, "schema"));
      const bool elsewhere =
          !text(object, "catalog").empty() || (!schema.empty() && schema != "main");
      if (elsewhere || is_forbidden(name)) {
        return refuse(object, "unsupported", fmt::format("{}() is not allowed in a query", name));
      }
    }
    return children(object);
  }

  bool unknown(const json::object& object, const std::string& written) {
    refuse(object, "unknown-reference", fmt::format("unknown stream \"{}\"", written));
    diagnostic_.end = diagnostic_.column + static_cast<int>(written.size());
    if (auto near = base::suggest(sql_spelling(written), known_.tables)) {
      diagnostic_.suggestion = *near;
    } else {
      diagnostic_.help = "SELECT name FROM streams lists them";
    }
    return false;
  }

  bool refuse(const json::object& object, std::string id, std::string message) {
    std::size_t offset = 0;
    if (const json::value* at = object.if_contains("query_location")) {
      if (at->is_int64() && at->get_int64() >= 0)
        offset = static_cast<std::size_t>(at->get_int64());
    }
    diagnostic_ = diagnostic_at(sql_, offset, std::move(id), std::move(message));
    return false;
  }

  DuckConnection& connection_;
  std::string_view sql_;
  const std::vector<QueryParam>& params_;
  const KnownNames& known_;
  base::Diagnostic& diagnostic_;
  std::vector<std::string> scope_;  ///< WITH names in sight.
  TimeRange range_;                 ///< Of the SELECT whose FROM comes next.
  GuardedQuery query_;
};

Result<std::string> serialized(DuckConnection& connection, std::string_view sql) {
  auto rows = connection.query("SELECT json_serialize_sql(" + sql_text(sql) + ")");
  if (!rows) return std::move(rows).error();
  auto chunk = rows->next();
  if (!chunk) return std::move(chunk).error();
  if (*chunk == nullptr) return Error{Code::Internal, "DuckDB does not parse"};
  const duck::Api& api = connection.api();
  const duck::Vector vector = api.data_chunk_get_vector(*chunk, 0);
  return std::string(static_cast<const duck::String*>(api.vector_get_data(vector))->view());
}

std::string refusal_of(const json::object& tree) {
  const std::string message(text(tree, "error_message"));
  if (text(tree, "error_type") == "not implemented") {
    return "only SELECT is allowed: a query never changes anything";
  }
  return message;
}

bool read_tree(const json::object& tree, std::string_view sql, base::Diagnostic& diagnostic) {
  const json::value* failed = tree.if_contains("error");
  if (failed != nullptr && failed->is_bool() && !failed->get_bool()) return true;
  const std::string position(text(tree, "position"));
  // Counted in code points, unlike the locations in the tree.
  std::size_t points = position.empty() ? 0 : std::strtoull(position.c_str(), nullptr, 10);
  std::size_t offset = 0;
  for (; points > 0 && offset < sql.size(); --points) {
    do ++offset;
    while (offset < sql.size() && (static_cast<unsigned char>(sql[offset]) & 0xC0) == 0x80);
  }
  diagnostic = diagnostic_at(sql, offset, "syntax", refusal_of(tree));
  return false;
}

}  // namespace

std::string sql_spelling(std::string_view name) {
  std::string out = lower(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

Result<GuardedQuery> guard(DuckConnection& connection, std::string_view sql,
                           const std::vector<QueryParam>& params, const KnownNames& known,
                           base::Diagnostic& diagnostic) {
  const auto invalid = [&](std::string id, std::string message) {
    diagnostic = diagnostic_at(sql, 0, std::move(id), std::move(message));
    return error_from(Code::Invalid, diagnostic);
  };
  if (sql.size() > kMaxText) return invalid("out-of-range", "the query is longer than 1 MiB");
  if (sql.find('\0') != std::string_view::npos)
    return invalid("syntax", "the query contains a zero byte");
  auto tree_text = serialized(connection, sql);
  if (!tree_text) {
    diagnostic = diagnostic_from(tree_text.error(), sql);
    return error_from(tree_text.error().code(), diagnostic);
  }
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  const json::value tree = json::parse(*tree_text, error, {}, options);
  if (error || !tree.is_object()) return invalid("unsupported", "the query is nested too deeply");
  if (!read_tree(tree.get_object(), sql, diagnostic)) return error_from(Code::Invalid, diagnostic);
  const json::value* statements = tree.get_object().if_contains("statements");
  if (statements == nullptr || !statements->is_array() || statements->get_array().size() != 1) {
    return invalid("syntax", "exactly one SELECT is allowed");
  }
  Walker walker(connection, sql, params, known, diagnostic);
  if (!walker.walk(*statements)) return error_from(Code::Invalid, diagnostic);
  return std::move(walker.query());
}

}  // namespace infiniedge::store
