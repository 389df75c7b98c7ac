// SPDX-License-Identifier: Apache-2.0
#include "store/prune.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <optional>
#include <set>
#include <string>

namespace infiniedge::store {
namespace {

namespace json = boost::json;

// now() runs again in the query itself, a moment later.
constexpr std::int64_t kMargin = 60'000'000;

std::string_view text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

const json::object* child(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr ? value->if_object() : nullptr;
}

/// "2026-01-01", "2026-01-01 12:30[:00[.000001]]", with T too. Anything else: nothing.
std::optional<std::int64_t> iso_time(std::string_view written) {
  const std::string text(written);
  int year = 0, used = 0, hour = 0, minute = 0;
  unsigned month = 0, day = 0;
  double second = 0;
  if (text.size() < 10 || text.size() > 26) return std::nullopt;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &used) != 3 || used != 10) {
    return std::nullopt;
  }
  if (text.size() > 10) {
    if (text[10] != ' ' && text[10] != 'T') return std::nullopt;
    int clock = 0;
    if (std::sscanf(text.c_str() + 11, "%2d:%2d%n", &hour, &minute, &clock) != 2) {
      return std::nullopt;
    }
    std::string_view rest = std::string_view(text).substr(11 + static_cast<std::size_t>(clock));
    if (!rest.empty()) {
      if (rest.size() < 3 || rest.find_first_not_of("0123456789.:") != std::string_view::npos ||
          std::sscanf(rest.data(), ":%lf%n", &second, &used) != 1 ||
          static_cast<std::size_t>(used) != rest.size()) {
        return std::nullopt;
      }
    }
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || hour > 24 || minute > 59 || second >= 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60'000'000 + std::llround(second * 1e6);
}

/// Nothing in the expression but constants, arithmetic on times, and the clock.
bool is_constant(const json::value& value) {
  static const std::set<std::string, std::less<>> kFunctions = {"now",
                                                                "get_current_timestamp",
                                                                "transaction_timestamp",
                                                                "today",
                                                                "+",
                                                                "-",
                                                                "*",
                                                                "trunc",
                                                                "date_trunc",
                                                                "to_timestamp",
                                                                "epoch_ms",
                                                                "make_timestamp",
                                                                "time_bucket",
                                                                "to_seconds",
                                                                "to_minutes",
                                                                "to_hours",
                                                                "to_days",
                                                                "to_weeks",
                                                                "to_months",
                                                                "to_years",
                                                                "to_milliseconds",
                                                                "to_microseconds"};
  if (const auto* array = value.if_array()) {
    return std::all_of(array->begin(), array->end(), is_constant);
  }
  const auto* object = value.if_object();
  if (object == nullptr) return true;
  const std::string_view kind = text(*object, "class");
  if (kind == "COLUMN_REF") {
    const json::value* names = object->if_contains("column_names");
    return names != nullptr &&
           (*names == json::value{"current_timestamp"} || *names == json::value{"current_date"});
  }
  if (kind == "FUNCTION" && !kFunctions.contains(text(*object, "function_name"))) return false;
  if (!kind.empty() && kind != "FUNCTION" && kind != "CAST" && kind != "CONSTANT") return false;
  return std::all_of(object->begin(), object->end(),
                     [](const auto& entry) { return is_constant(entry.value()); });
}

class Pruner {
 public:
  Pruner(const std::vector<QueryParam>& params, DuckConnection& connection, std::string table,
         std::string alias)
      : params_(params),
        connection_(connection),
        table_(std::move(table)),
        alias_(std::move(alias)) {}

  void conjunct(const json::object& condition) {
    const std::string_view type = text(condition, "type");
    if (type == "CONJUNCTION_AND") {
      const json::value* children = condition.if_contains("children");
      if (children == nullptr || !children->is_array()) return;
      for (const json::value& each : children->get_array()) {
        if (each.is_object()) conjunct(each.get_object());
      }
    } else if (type == "COMPARE_BETWEEN") {
      const auto *input = child(condition, "input"), *lower = child(condition, "lower"),
                 *upper = child(condition, "upper");
      if (input == nullptr || lower == nullptr || upper == nullptr || !is_ts(*input)) return;
      at_least(*lower);
      at_most(*upper);
    } else if (text(condition, "class") == "COMPARISON") {
      comparison(type, child(condition, "left"), child(condition, "right"));
    }
  }
  const TimeRange& range() const { return range_; }

 private:
  void comparison(std::string_view type, const json::object* left, const json::object* right) {
    if (left == nullptr || right == nullptr) return;
    const bool greater = type.starts_with("COMPARE_GREATERTHAN");
    const bool less = type.starts_with("COMPARE_LESSTHAN");
    const bool equal = type == "COMPARE_EQUAL";
    if (!greater && !less && !equal) return;
    if (is_ts(*left)) {
      if (greater || equal) at_least(*right);
      if (less || equal) at_most(*right);
    } else if (is_ts(*right)) {
      if (less || equal) at_least(*left);
      if (greater || equal) at_most(*left);
    }
  }

  bool is_ts(const json::object& expression) const {
    const json::value* names = expression.if_contains("column_names");
    if (text(expression, "class") != "COLUMN_REF" || names == nullptr || !names->is_array()) {
      return false;
    }
    const auto& parts = names->get_array();
    const auto part = [&](std::size_t i) {
      std::string name = parts[i].is_string() ? std::string(parts[i].get_string()) : std::string();
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      return name;
    };
    if (parts.size() == 1) return part(0) == "ts";
    return parts.size() == 2 && part(1) == "ts" && part(0) == (alias_.empty() ? table_ : alias_);
  }

  void at_least(const json::object& constant) {
    if (const auto time = value_of(constant)) range_.from = std::max(range_.from, *time - margin_);
  }
  void at_most(const json::object& constant) {
    if (const auto time = value_of(constant)) range_.to = std::min(range_.to, *time + margin_);
  }

  std::optional<std::int64_t> value_of(const json::object& expression) {
    margin_ = 0;
    const json::object* literal = &expression;
    if (text(expression, "class") == "CAST") {
      const auto* type = child(expression, "cast_type");
      if (type == nullptr) return std::nullopt;
      const std::string_view id = text(*type, "id");
      if (id != "TIMESTAMP" && id != "TIMESTAMP WITH TIME ZONE") return evaluated(expression);
      literal = child(expression, "child");
    }
    if (literal == nullptr) return std::nullopt;
    if (text(*literal, "class") == "PARAMETER") return parameter(text(*literal, "identifier"));
    if (text(*literal, "class") == "CONSTANT") {
      const auto* value = child(*literal, "value");
      const auto time = value != nullptr ? iso_time(text(*value, "value")) : std::nullopt;
      if (time) return time;
    }
    return evaluated(expression);
  }

  std::optional<std::int64_t> parameter(std::string_view name) const {
    for (std::size_t i = 0; i < params_.size(); ++i) {
      const bool same =
          params_[i].name.empty() ? name == std::to_string(i + 1) : name == params_[i].name;
      const auto* value = std::get_if<std::string>(&params_[i].value);
      if (same && value != nullptr) return iso_time(*value);
    }
    return std::nullopt;
  }

  /// Lets DuckDB compute it: SELECT epoch_us(CAST(… AS TIMESTAMP)).
  std::optional<std::int64_t> evaluated(const json::object& expression) {
    if (!is_constant(expression)) return std::nullopt;
    margin_ = kMargin;
    const std::string first = single_text(
        "SELECT json_serialize_sql('SELECT CAST(epoch_us(CAST(NULL AS TIMESTAMP)) AS VARCHAR)')");
    boost::system::error_code error;
    json::value statement = json::parse(first, error);
    if (error) return std::nullopt;
    auto inner =
        statement.find_pointer("/statements/0/node/select_list/0/child/children/0/child", error);
    if (error || inner == nullptr) return std::nullopt;
    *inner = expression;
    const std::string sql =
        "SELECT * FROM json_execute_serialized_sql(" + sql_text(json::serialize(statement)) + ")";
    const std::string number = single_text(sql);
    if (number.empty()) return std::nullopt;
    return std::strtoll(number.c_str(), nullptr, 10);
  }

  std::string single_text(const std::string& sql) {
    auto rows = connection_.query(sql);
    if (!rows) return {};
    auto chunk = rows->next();
    if (!chunk || *chunk == nullptr) return {};
    const duck::Api& api = connection_.api();
    const duck::Vector vector = api.data_chunk_get_vector(*chunk, 0);
    const std::uint64_t* validity = api.vector_get_validity(vector);
    if (api.data_chunk_get_size(*chunk) == 0 || (validity != nullptr && (*validity & 1) == 0)) {
      return {};
    }
    return std::string(static_cast<const duck::String*>(api.vector_get_data(vector))->view());
  }

  const std::vector<QueryParam>& params_;
  DuckConnection& connection_;
  std::string table_, alias_;
  TimeRange range_;
  std::int64_t margin_ = 0;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace

TimeRange time_range(const json::object& select, const std::vector<QueryParam>& params,
                     DuckConnection& connection) {
  const auto* table = child(select, "from_table");
  const auto* where = child(select, "where_clause");
  if (table == nullptr || where == nullptr || text(*table, "type") != "BASE_TABLE") return {};
  const json::value* sample = table->if_contains("sample");
  const json::value* renamed = table->if_contains("column_name_alias");
  const bool plain = sample != nullptr && sample->is_null() && renamed != nullptr &&
                     renamed->is_array() && renamed->get_array().empty();
  if (!plain) return {};
  Pruner pruner(params, connection, lower(text(*table, "table_name")),
                lower(text(*table, "alias")));
  pruner.conjunct(*where);
  return pruner.range();
}

}  // namespace infiniedge::store
