// SPDX-License-Identifier: Apache-2.0
#include "stream/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "stream/frame.hpp"
#include "stream/plan.hpp"

namespace infiniedge::stream {

/// A rule and what is measured about it.
struct Engine::Entry {
  std::unique_ptr<Rule> rule;
  std::string stream;  // SQL name
  Rate in, out;
  runtime::Histogram seconds;
  std::size_t slot = 0;
  std::uint64_t fed_before = 0;  // rows of its stream before it came
  bool shares_frame = true;      // its input is the feed's schema
};

/// One input stream: who reads it.
struct Engine::Feed {
  SchemaPtr schema;  // that the readers were compiled against
  PredicateIndex index;
  std::map<std::size_t, std::shared_ptr<Entry>> indexed, others;  // by slot
  std::size_t next_slot = 0;
  Rate rows;

  /// Of the youngest reader. Older ones that were compiled against another get their own frames.
  void set_schema(const SchemaPtr& now) {
    if (schema && *schema == *now) return;
    schema = now;
    for (auto* readers : {&indexed, &others}) {
      for (auto& [slot, entry] : *readers) {
        entry->shares_frame = *entry->rule->plan().input == *schema;
      }
    }
  }
};

/// Streams of rules, then those of devices. `replaced`: rules about to change.
class Engine::Sources final : public SchemaSource {
 public:
  Sources(const Engine& engine, std::map<std::string, SchemaPtr> replaced = {})
      : engine_(engine), replaced_(std::move(replaced)) {}
  SchemaPtr find(std::string_view name) const override {
    const std::string key(name);
    if (const auto at = replaced_.find(key); at != replaced_.end()) return at->second;
    if (const auto at = engine_.entries_.find(key); at != engine_.entries_.end()) {
      return at->second->rule->output();
    }
    return engine_.schemas_.find(name);
  }
  std::vector<std::string> names() const override {
    auto out = engine_.schemas_.names();
    for (const auto& [name, entry] : engine_.entries_) out.push_back(name);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

 private:
  const Engine& engine_;
  std::map<std::string, SchemaPtr> replaced_;
};

Engine::Engine(boost::asio::any_io_executor executor, Clock& clock, const SchemaSource& schemas,
               Predictor* predictor, Output output)
    : scope_(std::move(executor)),
      clock_(clock),
      schemas_(schemas),
      predictor_(predictor),
      output_(std::move(output)) {}

Engine::~Engine() = default;

base::Diagnostics Engine::check(const RuleSpec& spec) const {
  const Sources sources(*this);
  const auto rule = stream::compile(spec, sources, predictor_);
  if (!rule) return rule.error();
  return refuse_cycle(spec, **rule);
}

/// A rule may not read its own stream through others.
base::Diagnostics Engine::refuse_cycle(const RuleSpec& spec, const Rule& rule) const {
  const auto own = sql_name(spec.name);
  std::vector<std::string> trail = rule.inputs();
  std::set<std::string> seen;
  for (std::size_t i = 0; i < trail.size(); ++i) {
    const auto name = trail[i];
    if (name == own) {
      return {{.id = "cycle",
               .message = fmt::format(
                   "\"{}\" would read its own stream through {}", spec.name,
                   fmt::join(trail.begin(), trail.begin() + static_cast<long>(i), ", "))}};
    }
    const auto found = entries_.find(name);
    if (found == entries_.end() || !seen.insert(name).second) continue;
    const auto& inputs = found->second->rule->inputs();
    trail.insert(trail.end(), inputs.begin(), inputs.end());
  }
  return {};
}

Checked<StateChange> Engine::put(const RuleSpec& spec) {
  const Sources sources(*this);
  auto rule = stream::compile(spec, sources, predictor_);
  if (!rule) return tl::unexpected(std::move(rule).error());
  if (auto cycle = refuse_cycle(spec, **rule); !cycle.empty()) {
    return tl::unexpected(std::move(cycle));
  }
  const auto& stream = (*rule)->output()->stream;
  const auto before = entries_.find(stream);
  const bool reshaped =
      before != entries_.end() && *before->second->rule->output() != *(*rule)->output();
  auto behind = recompile(reshaped ? readers(stream) : std::vector<std::string>{},
                          {{stream, (*rule)->output()}}, spec.name);
  if (!behind) return tl::unexpected(std::move(behind).error());
  auto change = install(std::move(*rule));
  install_all(std::move(*behind), change);
  return change;
}

Checked<StateChange> Engine::refresh(const std::string& stream) {
  auto behind = recompile(readers(stream), {}, stream);
  if (!behind) return tl::unexpected(std::move(behind).error());
  StateChange change;
  install_all(std::move(*behind), change);
  return change;
}

void Engine::install_all(std::vector<std::unique_ptr<Rule>> rules, StateChange& change) {
  for (auto& rule : rules) {
    auto more = install(std::move(rule));
    change.kept.insert(change.kept.end(), more.kept.begin(), more.kept.end());
    change.reset.insert(change.reset.end(), more.reset.begin(), more.reset.end());
  }
}

std::vector<std::string> Engine::readers(const std::string& stream) const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) {
    const auto& inputs = entry->rule->inputs();
    if (std::find(inputs.begin(), inputs.end(), stream) != inputs.end()) out.push_back(name);
  }
  return out;
}

/// The rules of `pending` and those behind them whose input changes with them, compiled anew.
Checked<std::vector<std::unique_ptr<Rule>>> Engine::recompile(std::vector<std::string> pending,
                                                              Replaced replaced,
                                                              const std::string& cause) const {
  std::vector<std::unique_ptr<Rule>> out;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const auto name = pending[i];
    const auto& old = *entries_.at(name)->rule;
    const Sources sources(*this, replaced);
    auto rule = stream::compile(old.spec(), sources, predictor_);
    if (!rule) {
      auto errors = std::move(rule).error();
      for (auto& error : errors) {
        error.message =
            fmt::format("{} (in {}, which reads {})", error.message, old.spec().name, cause);
      }
      return tl::unexpected(std::move(errors));
    }
    replaced[name] = (*rule)->output();
    if (*old.output() != *(*rule)->output()) {
      for (auto& reader : readers(name)) {
        if (!replaced.contains(reader)) pending.push_back(std::move(reader));
      }
    }
    out.push_back(std::move(*rule));
  }
  return out;
}

StateChange Engine::install(std::unique_ptr<Rule> rule) {
  StateChange change;
  auto entry = std::make_shared<Entry>();
  entry->stream = rule->output()->stream;
  entry->rule = std::move(rule);
  if (const auto old = entries_.find(entry->stream); old != entries_.end()) {
    change = entry->rule->adopt(*old->second->rule);
    entry->in = old->second->in;
    entry->out = old->second->out;
    detach(*old->second);
    retire(std::move(old->second));
  }
  const auto weak = std::weak_ptr<Entry>(entry);
  const auto sink = [this, weak](const std::string& suffix) {
    return [this, weak, suffix](Batch batch) {
      if (const auto self = weak.lock()) emit(*self, self->stream + suffix, std::move(batch));
    };
  };
  entry->rule->open(scope_, clock_,
                    {.out = sink(""), .late = sink("__late"), .dead = sink("__dead")});
  entries_[entry->stream] = entry;
  attach(entry);
  return change;
}

void Engine::attach(const std::shared_ptr<Entry>& entry) {
  const auto& plan = entry->rule->plan();
  for (const auto& input : plan.inputs) {
    auto& feed = feeds_[input];
    if (!feed) feed = std::make_unique<Feed>();
    feed->set_schema(plan.input);
    entry->slot = feed->next_slot++;
    entry->fed_before = feed->rows.total();
    (plan.index ? feed->indexed : feed->others)[entry->slot] = entry;
    if (plan.index) feed->index.add(entry->slot, *plan.index);
  }
}

void Engine::detach(const Entry& entry) {
  for (const auto& input : entry.rule->inputs()) {
    const auto found = feeds_.find(input);
    if (found == feeds_.end()) continue;
    auto& feed = *found->second;
    if (feed.indexed.erase(entry.slot) > 0) feed.index.remove(entry.slot);
    feed.others.erase(entry.slot);
  }
}

/// Rows that a replaced rule still has at a model come out first; then it is gone.
void Engine::retire(std::shared_ptr<Entry> entry) {
  struct Ending {
    static Task<void> run(std::shared_ptr<Entry> gone) { co_await gone->rule->close(); }
  };
  scope_.spawn(Ending::run(std::move(entry)));
}

Result<void> Engine::remove(const std::string& name) {
  const auto found = entries_.find(sql_name(name));
  if (found == entries_.end()) return Error{Code::NotFound, fmt::format("no stream {}", name)};
  for (const auto& [other, entry] : entries_) {
    const auto& inputs = entry->rule->inputs();
    if (std::find(inputs.begin(), inputs.end(), found->first) == inputs.end()) continue;
    return Error{Code::Invalid,
                 fmt::format("stream {} is read by {}; delete or change that one first", name,
                             entry->rule->spec().name)};
  }
  detach(*found->second);
  retire(std::move(found->second));
  entries_.erase(found);
  return {};
}

void Engine::emit(Entry& entry, const std::string& stream, Batch batch) {
  if (stream == entry.stream) entry.out.add(batch.rows(), clock_.now());
  output_(stream, std::move(batch));
}

void Engine::push(const std::shared_ptr<const Batch>& batch) {
  if (!batch->schema || batch->rows() == 0) return;
  const auto found = feeds_.find(batch->schema->stream);
  if (found == feeds_.end()) return;
  auto& feed = *found->second;
  const auto now = clock_.now();
  const auto wall = clock_.wall();
  feed.rows.add(batch->rows(), now);
  if (!well_formed(*batch)) {
    for (auto& [slot, entry] : feed.others) entry->rule->feed(batch, wall);
    return;
  }
  const auto timed = [&](Entry& entry, auto work) {
    const auto from = clock_.now();
    work();
    const auto took = clock_.now() - from;
    entry.seconds.observe(std::chrono::duration<double>(took).count());
  };
  Frame frame(batch, *feed.schema);
  // Rules may not be added or removed meanwhile, but the output may push to other streams.
  for (auto& [slot, entry] : feed.others) {
    entry->in.add(batch->rows(), now);
    timed(*entry, [&, &rule = *entry->rule, shares = entry->shares_frame] {
      shares ? rule.process(frame, wall) : rule.feed(batch, wall);
    });
  }
  if (feed.index.empty()) return;
  feed.index.match(frame, *feed.schema, [&](std::size_t slot, PredicateIndex::Rows rows) {
    auto& entry = *feed.indexed.at(slot);
    timed(entry, [&] {
      if (entry.shares_frame) return entry.rule->process_chosen(frame, std::move(rows), wall);
      Frame own(batch, *entry.rule->plan().input);
      entry.rule->process_chosen(own, std::move(rows), wall);
    });
  });
}

void Engine::tick() {
  const auto wall = clock_.wall();
  for (auto& [name, entry] : entries_) entry->rule->tick(wall);
}

void Engine::flush() {
  const auto wall = clock_.wall();
  for (auto* rule : sources_first()) rule->flush(wall);
}

/// Every rule after those that it reads: what closing a window emits must find the windows of
/// its readers still open. There are no cycles, so each round places some.
std::vector<Rule*> Engine::sources_first() const {
  std::vector<Rule*> out;
  std::set<std::string> placed;
  const auto waits_for = [&](const std::string& input) {
    return entries_.contains(input) && !placed.contains(input);
  };
  for (auto before = placed.size() + 1; placed.size() != before;) {
    before = placed.size();
    for (const auto& [name, entry] : entries_) {
      const auto& inputs = entry->rule->inputs();
      if (placed.contains(name) || std::any_of(inputs.begin(), inputs.end(), waits_for)) continue;
      placed.insert(name);
      out.push_back(entry->rule.get());
    }
  }
  return out;
}

Task<void> Engine::close() {
  for (auto& [name, entry] : entries_) co_await entry->rule->close();
  co_await scope_.close();
}

const Rule* Engine::find(const std::string& name) const {
  const auto found = entries_.find(sql_name(name));
  return found == entries_.end() ? nullptr : found->second->rule.get();
}

std::vector<NodeStats> Engine::rules() const {
  std::vector<NodeStats> out;
  for (const auto& [name, entry] : entries_) {
    NodeStats node{.name = entry->rule->spec().name, .rule = entry->rule->stats(clock_.wall())};
    node.rate_out = entry->out.per_second(clock_.now());
    node.rate_in = entry->in.per_second(clock_.now());
    const auto& input = entry->rule->inputs()[0];
    if (const auto feed = feeds_.find(input); entry->rule->plan().index && feed != feeds_.end()) {
      // The index looks at the rows for it; it saw all of its stream.
      node.rule.in = feed->second->rows.total() - entry->fed_before;
      node.rate_in = feed->second->rows.per_second(clock_.now());
    }
    node.p50_seconds = entry->seconds.quantile(0.5);
    node.p99_seconds = entry->seconds.quantile(0.99);
    out.push_back(std::move(node));
  }
  return out;
}

std::vector<EdgeStats> Engine::edges() const {
  std::vector<EdgeStats> out;
  for (const auto& [name, entry] : entries_) {
    for (const auto& input : entry->rule->inputs()) {
      const auto feed = feeds_.find(input);
      if (feed == feeds_.end()) continue;
      out.push_back({.from = input,
                     .to = name,
                     .rows = feed->second->rows.total() - entry->fed_before,
                     .rate = feed->second->rows.per_second(clock_.now())});
    }
  }
  return out;
}

}  // namespace infiniedge::stream
