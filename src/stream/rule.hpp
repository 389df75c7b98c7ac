// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/batch.hpp"
#include "infiniedge/predictor.hpp"
#include "infiniedge/time.hpp"
#include "stream/ast.hpp"
#include "stream/diagnostics.hpp"

namespace infiniedge::runtime {
class Scope;
}

namespace infiniedge::stream {

struct Plan;
struct IndexTerm;
class Frame;

/// What happens to a row in which an expression failed (division by zero, overflow).
enum class OnError : std::uint8_t {
  Null,        ///< The value is NULL.
  Skip,        ///< The row is dropped.
  DeadLetter,  ///< The row goes to `<stream>__dead`.
  Stop         ///< The rule stops until it is replaced.
};

/// A Stream resource, as far as its rule is concerned.
struct RuleSpec {
  std::string name;  ///< As in the resource: `pump-health`; its stream is `pump_health`.
  std::string sql;
  Micros lateness{Seconds{5}};
  std::optional<Micros> idle{};             ///< Default: max(10 s, 2 · lateness).
  std::optional<LatePolicy> late{};         ///< LATE in the text wins; default Update.
  Micros late_keep{std::chrono::hours{1}};  ///< How long a closed window takes updates.
  std::optional<LabelId> label{};           ///< Default: the input's; see output().
  OnError on_error = OnError::Null;
};

/// Names the streams that a rule may read.
///
/// Thread: the caller's of compile().
/// Errors: none; an unknown stream is null.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  /// By SQL spelling (`pump_7`).
  virtual SchemaPtr find(std::string_view name) const = 0;
  virtual std::vector<std::string> names() const = 0;
};

/// Rows since the rule was made.
struct RuleStats {
  std::uint64_t in = 0, out = 0;
  std::uint64_t late = 0;     ///< Rows whose window had closed, whatever became of them.
  std::uint64_t dropped = 0;  ///< Late, failed or for want of room (groups, model queue).
  std::uint64_t errors = 0;   ///< Values that became NULL by division by zero, overflow, ...
  std::uint64_t model_errors = 0;
  std::size_t groups = 0;         ///< Group states held.
  std::size_t model_pending = 0;  ///< Rows waiting for a model.
  std::optional<Timestamp> watermark{};
  Micros lag{0};        ///< Wall time minus the watermark, or minus the newest row.
  std::string stopped;  ///< Not empty: why it no longer runs.
};

/// What became of the state of a replaced rule, by operator.
struct StateChange {
  std::vector<std::string> kept, rebuilt, reset;
};

/// One rule: a plan and its state.
///
/// Flow:    device or another rule -> [Rule] -> out, late, dead
/// Thread:  one shard; sinks are called there, from feed(), tick() or a model's answer, and may
///          not destroy the rule.
/// Owner:   Engine, or a test or back-test. `close()` before destruction once opened.
/// Errors:  counted, never thrown; with OnError::Stop the rule stops and says why.
class Rule {
 public:
  using Sink = std::function<void(Batch)>;
  struct Sinks {
    Sink out;   ///< Schema output().
    Sink late;  ///< Input rows too late for their window, stream `<name>__late`.
    Sink dead;  ///< Input rows that failed, stream `<name>__dead`.
  };

  Rule(RuleSpec spec, std::shared_ptr<const Plan> plan, Predictor* predictor);
  ~Rule();
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;

  const RuleSpec& spec() const { return spec_; }
  /// Fields in the order of the items; derived `_version` last for windows with LATE UPDATE.
  /// model(...) AS m becomes m_label, m_score, m_route, m_err.
  const SchemaPtr& output() const;
  /// Input rows that were late; null unless late rows can go there.
  SchemaPtr late_schema() const;
  SchemaPtr dead_schema() const;
  /// SQL names of the streams it reads.
  const std::vector<std::string>& inputs() const;

  /// Gives it where to write. `clock` paces the micro-batches of model(); both outlive it.
  void open(runtime::Scope& scope, Clock& clock, Sinks sinks);
  /// The same without models: a rule that asks one would drop its rows.
  void collect(Sinks sinks);
  /// Takes rows of an input stream. Windows close, and sinks are called, before it returns;
  /// rows for a model follow later, in order.
  void feed(const std::shared_ptr<const Batch>& batch, Timestamp now);
  /// Lets time pass without rows: idle devices no longer hold windows open.
  void tick(Timestamp now);
  /// Closes all windows as if time had ended; for back-tests and finite inputs.
  void flush(Timestamp now);
  /// Asks the models for what is pending and waits for them. Open windows are not emitted.
  Task<void> close();

  RuleStats stats(Timestamp now) const;
  /// The plan as indented lines: operators, outermost first, with their state keys.
  std::vector<std::string> explain() const;
  /// Takes over the state of `old` where operator and input are the same.
  StateChange adopt(Rule& old);

  // For Engine: the shared frame of a batch, and rows already chosen by the predicate index.
  const Plan& plan() const { return *plan_; }
  void process(Frame& frame, Timestamp now);
  void process_chosen(Frame& frame, std::vector<std::uint32_t> rows, Timestamp now);

 private:
  struct State;
  RuleSpec spec_;
  std::shared_ptr<const Plan> plan_;
  std::unique_ptr<State> state_;
};

/// Parses and checks `spec.sql` against the streams that exist. `predictor` (may be null: models
/// are not checked, and asking one fails) outlives the rule.
Checked<std::unique_ptr<Rule>> compile(const RuleSpec& spec, const SchemaSource& schemas,
                                       Predictor* predictor);

}  // namespace infiniedge::stream
