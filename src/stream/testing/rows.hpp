// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stream/predicate.hpp"
#include "stream/rule.hpp"
#include "stream/vec.hpp"

namespace infiniedge::stream::testing {

/// One row as a test writes it. Values are stored as the schema says: numbers for decimals.
struct Row {
  std::string device;
  double seconds;  ///< Since kStart.
  std::vector<Scalar> values;
  Quality quality = Quality::Good;
};

/// 2026-01-01: tests write times relative to it.
constexpr std::int64_t kStart = 1'767'225'600'000'000;

inline Timestamp at(double seconds) {
  return from_us(kStart + static_cast<std::int64_t>(seconds * 1e6 + (seconds < 0 ? -0.5 : 0.5)));
}

SchemaPtr make_schema(std::string stream, std::vector<Field> fields);
/// `temp` decimal 0.1 Cel, `load` float, `count` int, `on` bool, `mode` string, `wave` bytes.
SchemaPtr machine(std::string stream = "machine");
/// Rows of machine(): values missing at the end are NULL.
Batch make_batch(const SchemaPtr& schema, const std::vector<Row>& rows);

/// "device@seconds a=1 b=-", one a row; quality other than good as " q=3".
std::vector<std::string> lines(const Batch& batch);

class Schemas final : public SchemaSource {
 public:
  Schemas() = default;
  explicit Schemas(std::vector<SchemaPtr> schemas);
  void add(SchemaPtr schema) { schemas_[schema->stream] = std::move(schema); }
  SchemaPtr find(std::string_view name) const override;
  std::vector<std::string> names() const override;

 private:
  std::map<std::string, SchemaPtr, std::less<>> schemas_;
};

/// A rule over machine(), what came out of it, and a clock that a test sets.
class Bench {
 public:
  explicit Bench(std::string sql, RuleSpec spec = {});
  /// Feeds one batch; wall time is the newest row's unless `now` (seconds) is given.
  Bench& feed(const std::vector<Row>& rows, double now = -1);
  Bench& tick(double now);
  Bench& flush();
  /// Rows out, late, dead since the last call.
  std::vector<std::string> out() { return std::exchange(out_, {}); }
  std::vector<std::string> late() { return std::exchange(late_, {}); }
  std::vector<std::string> dead() { return std::exchange(dead_, {}); }
  RuleStats stats() const { return rule_->stats(now_); }
  Rule& rule() { return *rule_; }
  /// All diagnostics of a text that does not compile, as "line:column id message [suggestion]".
  static std::vector<std::string> faults(const std::string& sql);

 private:
  Schemas schemas_;
  std::unique_ptr<Rule> rule_;
  Timestamp now_ = at(0);
  std::vector<std::string> out_, late_, dead_;
};

}  // namespace infiniedge::stream::testing
