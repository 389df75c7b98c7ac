// SPDX-License-Identifier: Apache-2.0
#include "decision/cascade.hpp"

#include <algorithm>
#include <optional>

#include "model/predictor.hpp"
#include "runtime/log.hpp"

namespace infiniedge::decision {
namespace {

constexpr Route kRoutes[] = {Route::Edge,        Route::Teacher,    Route::EdgeLate,
                             Route::EdgeOffline, Route::EdgeBudget, Route::EdgePrivate,
                             Route::Abstain};

std::string sql_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Column texts() { return {.values = Binary{}}; }
Column numbers() { return {.values = std::vector<double>{}}; }
Column integers() { return {.values = std::vector<std::int64_t>{}}; }

void add_null(Column& column, bool null) { column.nulls.push_back(null); }

}  // namespace

/// One sample on its way through gate and teacher.
struct Cascade::Decision {
  model::Answer student;
  Reason reason = Reason::Accept;
  Route route = Route::Edge;
  std::optional<model::Answer> teacher{};
  Micros edge{0}, teacher_time{0};
  std::size_t bytes_up = 0;
};

struct Cascade::Entry {
  explicit Entry(Clock& clock, runtime::Entropy& entropy) : breaker(clock, entropy) {}

  CascadeSpec spec;
  std::shared_ptr<Teacher> teacher;
  std::optional<Budget> budget;
  Breaker breaker;
  SchemaPtr schema;
  std::map<Route, std::uint64_t> routes;
  std::map<Route, runtime::Counter*> outcomes;
  runtime::Histogram edge_seconds, decision_seconds;
};

std::uint64_t CascadeStats::total() const {
  std::uint64_t out = 0;
  for (const auto& [route, count] : routes) out += count;
  return out;
}

double CascadeStats::cloud_share() const {
  const auto all = total();
  const auto found = routes.find(Route::Teacher);
  if (all == 0 || found == routes.end()) return 0;
  return static_cast<double>(found->second) / static_cast<double>(all);
}

Cascade::Cascade(Clock& clock, runtime::Entropy& entropy, runtime::Metrics& metrics,
                 model::Server& server, Output output)
    : clock_(clock),
      entropy_(entropy),
      metrics_(metrics),
      server_(server),
      output_(std::move(output)) {}

Cascade::~Cascade() = default;

SchemaPtr Cascade::decision_schema(const std::string& model) {
  Schema schema{.stream = sql_name(model) + "__decision"};
  std::uint16_t id = kFirstField;
  const auto add = [&](std::string name, Type type, std::string unit = {}) {
    schema.fields.push_back(
        {.id = id++, .name = std::move(name), .type = type, .unit = std::move(unit)});
  };
  add("version", Type::Int);
  add("route", Type::String);
  add("reason", Type::String);
  add("label", Type::String);  // The student's; the teacher's stands beside it.
  add("score", Type::Float);
  add("tau", Type::Float);
  add("teacher_label", Type::String);
  add("agree", Type::Bool);
  add("edge_us", Type::Int, "us");
  add("teacher_us", Type::Int, "us");
  add("bytes_up", Type::Int, "By");
  return std::make_shared<const Schema>(std::move(schema));
}

Cascade::Entry& Cascade::entry(const std::string& model) {
  auto& slot = entries_[model];
  if (!slot) {
    slot = std::make_shared<Entry>(clock_, entropy_);
    slot->spec.model = model;
    slot->schema = decision_schema(model);
    for (const auto route : kRoutes) {
      slot->outcomes[route] =
          &metrics_.counter("infiniedge_decision_outcomes_total", "Answers by who gave them.",
                            {{"model", model}, {"outcome", std::string{to_string(route)}}});
    }
  }
  return *slot;
}

void Cascade::put(CascadeSpec spec, std::shared_ptr<Teacher> teacher) {
  auto& known = entry(spec.model);
  known.budget.emplace(spec.share, spec.burst);
  known.spec = std::move(spec);
  known.teacher = std::move(teacher);
}

void Cascade::remove(const std::string& model) {
  const auto found = entries_.find(model);
  if (found != entries_.end()) found->second->teacher = nullptr;
}

CascadeStats Cascade::stats(const std::string& model) const {
  const auto found = entries_.find(model);
  if (found == entries_.end()) return {};
  const auto& known = *found->second;
  return {.routes = known.routes,
          .edge_p50_us = known.edge_seconds.quantile(0.5) * 1e6,
          .edge_p99_us = known.edge_seconds.quantile(0.99) * 1e6,
          .decision_p99_ms = known.decision_seconds.quantile(0.99) * 1e3,
          .threshold = known.spec.threshold,
          .budget_left = known.budget ? known.budget->left() : 0,
          .teacher_reachable = known.breaker.closed()};
}

Result<std::size_t> Cascade::width(const std::string& model) const {
  return model::ServerPredictor(server_).width(model);
}

/// Sure answers stand; the others want the teacher, as far as breaker and budget allow.
void Cascade::gate(Entry& known, std::vector<Decision>& decisions) const {
  if (!known.teacher) return;
  for (auto& decision : decisions) {
    known.budget->earn();
    if (!decision.student.valid)
      decision.reason = Reason::InvalidOutput;
    else if (decision.student.score < known.spec.threshold)
      decision.reason = Reason::LowScore;
    else
      continue;
    const auto without = known.spec.abstain_offline ? Route::Abstain : Route::EdgeOffline;
    if (!known.breaker.admit())
      decision.route = without;
    else if (!known.budget->spend())
      decision.route = Route::EdgeBudget;
    else
      decision.route = Route::Teacher;
  }
}

/// One call for all that want the teacher.
/// The egress gate (govern) will stand here: samples without a permit become EdgePrivate.
Task<void> Cascade::escalate(std::shared_ptr<Entry> known, const std::vector<Sample>& samples,
                             std::vector<Decision>& decisions) {
  std::vector<Sample> asked;
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    if (decisions[i].route != Route::Teacher) continue;
    asked.push_back(samples[i]);
    rows.push_back(i);
  }
  if (asked.empty()) co_return;
  const auto teacher = known->teacher;
  const auto start = clock_.now();
  std::size_t bytes = 0;
  const auto answers = co_await teacher->ask(std::move(asked), known->spec.timeout, bytes);
  const auto took = clock_.now() - start;
  if (answers) {
    known->breaker.success();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto& decision = decisions[rows[i]];
      decision.teacher = (*answers)[i];
      decision.teacher_time = took;
      decision.bytes_up = bytes / rows.size();
    }
    co_return;
  }
  const auto code = answers.error().code();
  runtime::log(runtime::Level::Warning, "decision", "the teacher did not answer",
               {{"resource", known->spec.model}, {"error", answers.error().describe()}});
  // What the teacher finds wrong with the samples says nothing about the link.
  if (code == Code::Invalid || code == Code::Denied)
    known->breaker.success();
  else
    known->breaker.failure();
  const auto failed = code == Code::Unavailable ? Route::EdgeOffline : Route::EdgeLate;
  for (const auto row : rows) {
    decisions[row].route = known->spec.abstain_offline ? Route::Abstain : failed;
    decisions[row].teacher_time = took;
  }
}

Task<Result<std::vector<Prediction>>> Cascade::predict(const std::string& model,
                                                       std::vector<Sample> samples) {
  entry(model);
  const auto known = entries_.find(model)->second;
  const auto start = clock_.now();
  auto copy = samples;
  auto answers = co_await model::ask(server_, model, std::move(copy), std::nullopt);
  if (!answers) co_return answers.error();
  const auto edge =
      (clock_.now() - start) / static_cast<std::int64_t>(std::max<std::size_t>(1, samples.size()));
  std::vector<Decision> decisions;
  for (auto& answer : *answers) decisions.push_back({.student = std::move(answer), .edge = edge});
  gate(*known, decisions);
  co_await escalate(known, samples, decisions);
  const std::chrono::duration<double> whole = clock_.now() - start;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    known->edge_seconds.observe(std::chrono::duration<double>(edge).count());
    known->decision_seconds.observe(whole.count());
  }
  const auto versions = server_.ready_versions(model);
  settle(*known, samples, decisions, versions.empty() ? 0 : versions.back());
  std::vector<Prediction> out;
  for (const auto& decision : decisions) {
    const auto& answer = decision.teacher ? *decision.teacher : decision.student;
    Prediction prediction{.label = answer.label, .score = answer.score, .route = decision.route};
    if (decision.route == Route::Abstain)
      prediction.error = "abstained: unsure, and no teacher answered";
    else if (!answer.valid)
      prediction.error = "the model's output is not finite";
    out.push_back(std::move(prediction));
  }
  co_return out;
}

/// Counts, and writes the rows of `<model>__decision`.
void Cascade::settle(Entry& known, const std::vector<Sample>& samples,
                     const std::vector<Decision>& decisions, std::int64_t version) {
  Batch batch{.schema = known.schema};
  batch.columns = {integers(), texts(),    texts(),    texts(),    numbers(), numbers(),
                   texts(),    integers(), integers(), integers(), integers()};
  auto& c = batch.columns;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const auto& decision = decisions[i];
    ++known.routes[decision.route];
    known.outcomes[decision.route]->add();
    const auto name = std::find(batch.devices.begin(), batch.devices.end(), samples[i].device);
    batch.device.push_back(static_cast<std::uint32_t>(name - batch.devices.begin()));
    if (name == batch.devices.end()) batch.devices.push_back(samples[i].device);
    batch.ts.push_back(to_us(samples[i].ts));
    batch.quality.push_back(decision.student.valid ? Quality::Good : Quality::Bad);
    const bool taught = decision.teacher.has_value();
    c[0].ints().push_back(version);
    c[1].binary().push_back(to_string(decision.route));
    c[2].binary().push_back(to_string(decision.reason));
    c[3].binary().push_back(decision.student.label);
    c[4].floats().push_back(decision.student.score);
    c[5].floats().push_back(known.spec.threshold);
    c[6].binary().push_back(taught ? decision.teacher->label : "");
    c[7].ints().push_back(taught && decision.teacher->label == decision.student.label ? 1 : 0);
    c[8].ints().push_back(decision.edge.count());
    c[9].ints().push_back(decision.teacher_time.count());
    c[10].ints().push_back(static_cast<std::int64_t>(decision.bytes_up));
    for (const std::size_t column : {6U, 7U, 9U}) add_null(c[column], !taught);
  }
  if (batch.rows() > 0) output_(std::move(batch));
}

}  // namespace infiniedge::decision
