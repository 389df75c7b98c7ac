// SPDX-License-Identifier: Apache-2.0
#include "stream/rule.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/log.hpp"
#include "stream/batch_rows.hpp"
#include "stream/rule_state.hpp"

namespace infiniedge::stream {
namespace {

Micros idle_of(const RuleSpec& spec) {
  return spec.idle.value_or(std::max<Micros>(Seconds{10}, 2 * spec.lateness));
}

SchemaPtr derived(const Plan& plan, std::string_view suffix) {
  auto schema = std::make_shared<Schema>(*plan.input);
  schema->stream = plan.output->stream + std::string(suffix);
  schema->label = plan.output->label;
  return schema;
}

}  // namespace

Rule::State::State(const RuleSpec& rule, std::shared_ptr<const Plan> shared, Predictor* predictor)
    : spec(rule),
      plan(std::move(shared)),
      analytics(plan->analytics),
      watermarks(rule.lateness, idle_of(rule)) {
  if (rule.on_error == OnError::DeadLetter) dead_schema = derived(*plan, "__dead");
  if (plan->window) {
    const LateRules late{.policy = plan->late, .keep = rule.late_keep.count()};
    windows = make_windows(*plan->window, late);
    windows_plan = plan;
    const bool kept = plan->window->kind != Window::Kind::Count && plan->late != LatePolicy::Drop;
    if (kept) late_schema = derived(*plan, "__late");
  }
  if (!plan->models.empty()) {
    models = std::make_shared<ModelStage>(plan, predictor, [this](Frame& f) { emit(f); });
  }
}

Rule::Rule(RuleSpec spec, std::shared_ptr<const Plan> plan, Predictor* predictor)
    : spec_(std::move(spec)),
      plan_(std::move(plan)),
      state_(std::make_unique<State>(spec_, plan_, predictor)) {}

Rule::~Rule() {
  if (state_->models) state_->models->detach();
}

const SchemaPtr& Rule::output() const { return plan_->output; }
const std::vector<std::string>& Rule::inputs() const { return plan_->inputs; }
SchemaPtr Rule::late_schema() const { return state_->late_schema; }
SchemaPtr Rule::dead_schema() const { return state_->dead_schema; }

void Rule::open(runtime::Scope& scope, Clock& clock, Sinks sinks) {
  collect(std::move(sinks));
  if (state_->models) state_->models->open(scope, clock);
}

void Rule::collect(Sinks sinks) { state_->sinks = std::move(sinks); }

void Rule::feed(const std::shared_ptr<const Batch>& batch, Timestamp now) {
  if (!well_formed(*batch)) {
    ++state_->errors;
    state_->dropped += batch->rows();
    return;
  }
  Frame frame(batch, *plan_->input);
  process(frame, now);
}

void Rule::process(Frame& frame, Timestamp now) {
  state_->guarded(frame.rows(), [&] { state_->process(frame, std::nullopt, now); });
}

void Rule::process_chosen(Frame& frame, std::vector<std::uint32_t> rows, Timestamp now) {
  state_->guarded(rows.size(), [&] { state_->process(frame, std::move(rows), now); });
}

void Rule::tick(Timestamp now) {
  if (!state_->windows) return;
  state_->guarded(0, [&] {
    state_->watermarks.advance(now);
    state_->now = now;
    if (const auto time = state_->watermarks.current()) state_->close_windows(*time);
  });
}

void Rule::flush(Timestamp now) {
  state_->guarded(0, [&] {
    state_->now = now;
    if (state_->windows) state_->close_windows(kMaxTime);
    if (state_->models) state_->models->flush();
  });
}

Task<void> Rule::close() {
  if (state_->models) co_await ModelStage::drain(state_->models);
}

RuleStats Rule::stats(Timestamp now) const {
  const auto& s = *state_;
  RuleStats out{.in = s.rows_in, .out = s.rows_out, .dropped = s.dropped, .errors = s.errors};
  out.stopped = s.stopped;
  if (s.windows) {
    out.late = s.windows->late_rows();
    out.dropped += s.windows->refused_rows();
    out.groups = s.windows->groups();
    if (const auto time = s.watermarks.current()) out.watermark = from_us(*time);
  }
  out.groups += s.analytics.keys();
  if (s.models) {
    out.dropped += s.models->dropped();
    out.model_errors = s.models->failures();
    out.model_pending = s.models->pending();
  }
  const auto reached = out.watermark ? std::optional(to_us(*out.watermark)) : s.newest;
  if (reached) out.lag = Micros{std::max<std::int64_t>(0, to_us(now) - *reached)};
  return out;
}

std::vector<std::string> Rule::explain() const { return stream::explain(*plan_); }

StateChange Rule::adopt(Rule& old) {
  StateChange out;
  for (std::size_t i = 0; i < plan_->analytics.size(); ++i) {
    const bool kept = state_->analytics.adopt(i, old.state_->analytics);
    (kept ? out.kept : out.reset).push_back(plan_->analytics[i].text);
  }
  if (!plan_->window) return out;
  const auto& window = *plan_->window;
  const bool same = old.plan_->window && old.plan_->window->state_key == window.state_key &&
                    old.spec_.late_keep == spec_.late_keep && old.state_->windows;
  if (same) {
    state_->windows = std::move(old.state_->windows);
    state_->windows_plan = old.state_->windows_plan;
    state_->watermarks.adopt(std::move(old.state_->watermarks));
  }
  (same ? out.kept : out.reset).push_back(window.text);
  return out;
}

/// One rule's fault is its own: it stops and says so.
void Rule::State::guarded(std::size_t rows, const std::function<void()>& work) {
  if (!stopped.empty()) {
    dropped += rows;
    return;
  }
  try {
    work();
  } catch (const std::exception& e) {
    stop(fmt::format("it failed: {}", e.what()));
  }
}

void Rule::State::stop(std::string why) {
  stopped = std::move(why);
  runtime::log(runtime::Level::Error, "stream", fmt::format("rule {} stopped", spec.name),
               {{"resource", "stream/" + spec.name}, {"error", stopped}});
}

void Rule::State::process(Frame& shared, std::optional<std::vector<std::uint32_t>> chosen,
                          Timestamp time) {
  now = time;
  rows_in += chosen ? 0 : shared.rows();
  for (std::size_t i = 0; i < shared.rows() && !chosen; ++i) {
    newest = std::max(newest.value_or(shared.ts(i)), shared.ts(i));
  }
  if (windows) watermarks.observe(shared.batch(), now);
  Frame frame(shared);
  analytics.apply(frame);
  const auto& condition = plan->index && chosen ? plan->residual : plan->where;
  auto rows = select(frame, condition, std::move(chosen));
  if (rows) {
    if (!rows->empty()) {
      Frame some(frame, std::move(*rows));
      take(some);
    }
  } else {
    take(frame);
  }
  if (!windows) return;
  watermarks.advance(now);
  if (const auto reached = watermarks.current()) close_windows(*reached);
}

/// Rows among `chosen` (nothing: all) for which `condition` holds; nothing: all rows.
std::optional<std::vector<std::uint32_t>> Rule::State::select(
    Frame& frame, const NodePtr& condition, std::optional<std::vector<std::uint32_t>> chosen) {
  if (!condition) return chosen;
  const auto holding = [&](Frame& in) {
    const auto& truth = in.eval(*condition);
    note_errors(in, {condition.get()});
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < in.rows(); ++i) {
      if (truth.truth(i)) rows.push_back(static_cast<std::uint32_t>(i));
    }
    return rows;
  };
  if (!chosen) {
    auto rows = holding(frame);
    if (rows.size() == frame.rows()) return std::nullopt;
    return rows;
  }
  Frame some(frame, *chosen);
  auto rows = holding(some);
  for (auto& row : rows) row = (*chosen)[row];
  return rows;
}

void Rule::State::take(Frame& frame) {
  if (plan->window) return window(frame);
  finish(frame);
}

Checked<std::unique_ptr<Rule>> compile(const RuleSpec& spec, const SchemaSource& schemas,
                                       Predictor* predictor) {
  auto plan = make_plan(spec, schemas, predictor);
  if (!plan) return tl::unexpected(std::move(plan).error());
  return std::make_unique<Rule>(spec, std::move(*plan), predictor);
}

}  // namespace infiniedge::stream
