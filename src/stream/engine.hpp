// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/metrics.hpp"
#include "runtime/scope.hpp"
#include "stream/predicate_index.hpp"
#include "stream/rate.hpp"
#include "stream/rule.hpp"

namespace infiniedge::stream {

/// Rows from one stream into one rule, for the flow graph.
struct EdgeStats {
  std::string from, to;  ///< SQL names of streams; `to` is the rule's.
  std::uint64_t rows = 0;
  double rate = 0;  ///< Rows a second, over the last ten seconds.
};

struct NodeStats {
  std::string name;  ///< The rule's, as in its resource.
  RuleStats rule;
  double rate_in = 0, rate_out = 0;         ///< Rows a second.
  double p50_seconds = 0, p99_seconds = 0;  ///< Time of one batch in the rule.
};

/// All rules of one shard. Batches of a stream reach the rules that read it; those whose WHERE
/// is a simple comparison are found through an index, so thousands cost little more than one.
///
/// Flow:    device, store -> [Engine] -> Output -> store -> push() again for downstream rules
/// Thread:  one shard. The Output may call push() at once, but not add, replace or remove.
/// Owner:   app; close() before destruction.
/// Errors:  a rule that fails is stopped and reported; the others go on.
class Engine {
 public:
  /// Takes the rows of a rule's stream, or of a derived `…__late`, `…__dead`.
  using Output = std::function<void(const std::string& stream, Batch batch)>;

  /// `schemas`: streams that are not rules (devices). All references outlive the engine.
  Engine(boost::asio::any_io_executor executor, Clock& clock, const SchemaSource& schemas,
         Predictor* predictor, Output output);
  ~Engine();

  /// Compiles and starts a rule; a rule of that name is replaced, keeping the state of operators
  /// that did not change. Rules that read its stream are compiled again if its schema changed.
  /// Nothing changes unless everything compiles and no rule reads itself through others.
  Checked<StateChange> put(const RuleSpec& spec);
  /// A device's schema changed: compiles the rules that read it again. Nothing changes unless all
  /// compile.
  Checked<StateChange> refresh(const std::string& stream);
  /// Would put() succeed?
  base::Diagnostics check(const RuleSpec& spec) const;
  /// Errors: NotFound; Invalid while another rule reads its stream, naming it.
  Result<void> remove(const std::string& name);

  /// Rows of the stream batch->schema->stream.
  void push(const std::shared_ptr<const Batch>& batch);
  /// Call a few times a second.
  void tick();
  /// Closes all windows, those of a rule before those of its readers: for finite inputs.
  void flush();
  Task<void> close();

  /// By resource name; null if there is none.
  const Rule* find(const std::string& name) const;
  std::vector<NodeStats> rules() const;
  std::vector<EdgeStats> edges() const;

 private:
  struct Entry;
  struct Feed;
  class Sources;
  using Entries = std::map<std::string, std::shared_ptr<Entry>>;

  base::Diagnostics refuse_cycle(const RuleSpec& spec, const Rule& rule) const;
  using Replaced = std::map<std::string, SchemaPtr>;
  Checked<std::vector<std::unique_ptr<Rule>>> recompile(std::vector<std::string> pending,
                                                        Replaced replaced,
                                                        const std::string& cause) const;
  std::vector<std::string> readers(const std::string& stream) const;
  std::vector<Rule*> sources_first() const;
  StateChange install(std::unique_ptr<Rule> rule);
  void install_all(std::vector<std::unique_ptr<Rule>> rules, StateChange& change);
  void attach(const std::shared_ptr<Entry>& entry);
  void detach(const Entry& entry);
  void retire(std::shared_ptr<Entry> entry);
  void emit(Entry& entry, const std::string& stream, Batch batch);

  runtime::Scope scope_;
  Clock& clock_;
  const SchemaSource& schemas_;
  Predictor* predictor_;
  Output output_;
  Entries entries_;                                                  // by SQL name of the stream
  std::map<std::string, std::unique_ptr<Feed>, std::less<>> feeds_;  // by input stream
};

}  // namespace infiniedge::stream
