// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include "base/bytes.hpp"
#include "stream/batch_rows.hpp"
#include "stream/bind.hpp"
#include "stream/rule_state.hpp"

namespace infiniedge::stream {
namespace {

/// The results of windows as they come, column by column.
struct ResultTable {
  const Plan& plan;
  const std::string& rule;
  std::shared_ptr<Batch> rows = std::make_shared<Batch>();
  Vec start = Vec::make(Type::Int), end = Vec::make(Type::Int), version = Vec::make(Type::Int);
  std::vector<Vec> keys, results;
  std::unordered_map<std::string, std::uint32_t> devices;

  ResultTable(const Plan& p, const std::string& name) : plan(p), rule(name) {
    for (const auto& key : plan.window->keys) keys.push_back(Vec::make(key->type));
    for (std::size_t i = 0; i < plan.window->calls.size(); ++i) {
      results.push_back(Vec::make(plan.window->aggregates.at(i).result_type()));
    }
  }

  void add(const WindowRow& row) {
    read_key(*row.key);
    const auto& device = plan.window->device_key;
    const auto at = rows->rows();
    rows->device.push_back(device_id(device ? std::string(keys[*device].view(at)) : rule));
    rows->ts.push_back(row.end);
    rows->quality.push_back(row.quality);
    start.push_int(row.start);
    end.push_int(row.end);
    version.push_int(row.version);
    const auto& set = plan.window->aggregates;
    for (std::size_t i = 0; i < results.size(); ++i) {
      set.at(i).result(row.state + set.offset(i), results[i]);
    }
  }

  std::uint32_t device_id(const std::string& name) {
    const auto next = static_cast<std::uint32_t>(rows->devices.size());
    const auto [known, added] = devices.emplace(name, next);
    if (added) rows->devices.push_back(name);
    return known->second;
  }

  /// The reverse of append_key().
  void read_key(const std::string& key) {
    base::Reader reader(base::as_bytes(key));
    for (auto& out : keys) {
      char tag = 'n';
      std::uint32_t length = 0;
      std::int64_t whole = 0;
      double number = 0;
      base::ByteView text;
      if (!reader.read(tag) || tag == 'n') {
        out.push_null();
      } else if (tag == 't' && reader.read(length) && reader.read_bytes(length, text)) {
        out.push_text(base::as_text(text));
      } else if (tag == 'f' && reader.read(number)) {
        out.push_float(number);
      } else if (reader.read(whole)) {
        out.push_int(whole);
      }
    }
  }
};

/// The same column of the batch itself, untouched by conversion to numbers.
bool copy_column(const Frame& frame, const Node& node, const Field& field, Column& out) {
  const auto& batch = frame.batch();
  if (node.kind != Node::Kind::Column || node.local || !batch.schema) return false;
  if (node.column >= batch.schema->fields.size()) return false;
  const auto& from = batch.schema->fields[node.column];
  if (from.name != node.text || from.type != field.type || from.resolution != field.resolution) {
    return false;
  }
  std::vector<std::uint32_t> rows(frame.rows());
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<std::uint32_t>(frame.origin(i));
  out = pick_rows(batch.columns[node.column], rows);
  return true;
}

void drop_rows(std::vector<std::uint8_t>& failed, std::vector<std::uint32_t>& kept) {
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (failed[i] == 0) kept.push_back(static_cast<std::uint32_t>(i));
  }
}

}  // namespace

/// `like`, unless the batch has another version of the input's fields: then those.
SchemaPtr Rule::State::named_like(const Batch& batch, const SchemaPtr& like) const {
  if (batch.schema == plan->input || batch.schema->fields == like->fields) return like;
  auto schema = std::make_shared<Schema>(*batch.schema);
  schema->stream = like->stream;
  schema->label = like->label;
  return schema;
}

/// Counts failures; under a policy other than Null says which rows are to go.
std::vector<std::uint8_t> Rule::State::note_errors(Frame& frame,
                                                   const std::vector<const Node*>& nodes) {
  std::vector<std::uint8_t> failed;
  for (const auto* node : nodes) {
    const auto& value = frame.eval(*node);
    if (value.errors.empty()) continue;
    errors += value.errors.size();
    failed.resize(frame.rows(), 0);
    for (const auto row : value.errors) {
      if (row < failed.size()) failed[row] = 1;
    }
  }
  if (failed.empty() || spec.on_error == OnError::Null) return {};
  if (spec.on_error == OnError::Stop) stop("an expression failed and on_error is stop");
  std::vector<std::uint32_t> dead;
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (failed[i] != 0) dead.push_back(static_cast<std::uint32_t>(frame.origin(i)));
  }
  dropped += dead.size();
  // Only input rows have the input's columns; a window's result cannot be a dead letter.
  const bool input_rows = frame.batch().schema != nullptr;
  if (spec.on_error == OnError::DeadLetter && input_rows && sinks.dead) {
    sinks.dead(pick_rows(frame.batch(), dead, named_like(frame.batch(), dead_schema)));
  }
  return failed;
}

/// Groups the rows and gives them to the windows.
void Rule::State::window(Frame& frame) {
  const auto& window = *plan->window;
  std::vector<const Node*> nodes;
  for (const auto& key : window.keys) nodes.push_back(key.get());
  for (const auto& call : window.calls) {
    if (call.value) nodes.push_back(call.value.get());
    if (call.filter) nodes.push_back(call.filter.get());
  }
  if (window.filter) nodes.push_back(window.filter.get());
  GroupedRows rows;
  rows.skip = note_errors(frame, nodes);
  rows.skip.resize(frame.rows(), 0);
  group_rows(frame, rows);
  for (std::size_t i = 0; i < frame.rows(); ++i) {
    rows.ts.push_back(frame.ts(i));
    rows.quality.push_back(stale_if_future(frame.quality(i), frame.ts(i), to_us(now)));
    const bool absurd = frame.ts(i) >= kMaxTime || frame.ts(i) <= -kMaxTime;
    if (absurd && rows.skip[i] == 0) ++dropped;
    if (absurd || (window.filter && !frame.eval(*window.filter).truth(i))) rows.skip[i] = 1;
  }
  for (const auto& call : window.calls) {
    rows.inputs.push_back({.value = call.value ? &frame.eval(*call.value) : nullptr,
                           .filter = call.filter ? &frame.eval(*call.filter) : nullptr,
                           .ts = rows.ts});
  }
  std::vector<std::uint32_t> late;
  ResultTable table(*plan, spec.name);
  windows->add(rows, late, [&](const WindowRow& row) { table.add(row); });
  if (!late.empty()) send_late(frame, std::move(late));
  emit_results(table);
}

void Rule::State::group_rows(Frame& frame, GroupedRows& out) {
  const auto& window = *plan->window;
  const bool by_device = window.keys.size() == 1 && window.device_key;
  if (by_device) {
    for (const auto& device : frame.batch().devices) {
      std::string key = "t";
      base::put(key, static_cast<std::uint32_t>(device.size()));
      out.keys.push_back(key + device);
    }
    for (std::size_t i = 0; i < frame.rows(); ++i) out.group.push_back(frame.device_id(i));
    return;
  }
  if (window.keys.empty()) {
    out.keys.emplace_back();
    out.group.assign(frame.rows(), 0);
    return;
  }
  std::vector<const Vec*> values;
  for (const auto& key : window.keys) values.push_back(&frame.eval(*key));
  std::unordered_map<std::string, std::uint32_t> known;
  for (std::size_t i = 0; i < frame.rows(); ++i) {
    std::string key;
    for (const auto* value : values) append_key(key, *value, i);
    const auto next = static_cast<std::uint32_t>(out.keys.size());
    const auto [at, added] = known.emplace(std::move(key), next);
    if (added) out.keys.push_back(at->first);
    out.group.push_back(at->second);
  }
}

void Rule::State::send_late(Frame& frame, std::vector<std::uint32_t> rows) {
  if (!late_schema || !sinks.late) {
    dropped += rows.size();
    return;
  }
  for (auto& row : rows) row = static_cast<std::uint32_t>(frame.origin(row));
  sinks.late(pick_rows(frame.batch(), rows, named_like(frame.batch(), late_schema)));
}

void Rule::State::close_windows(std::int64_t watermark) {
  ResultTable table(*plan, spec.name);
  windows->advance(watermark, [&](const WindowRow& row) { table.add(row); });
  emit_results(table);
}

template <class Table>
void Rule::State::emit_results(Table& table) {
  if (table.rows->rows() == 0) return;
  Frame frame(table.rows);
  frame.add(std::move(table.start));
  frame.add(std::move(table.end));
  frame.add(std::move(table.version));
  for (auto& key : table.keys) frame.add(std::move(key));
  for (auto& result : table.results) frame.add(std::move(result));
  auto rows = select(frame, plan->having, std::nullopt);
  if (!rows) {
    finish(frame);
  } else if (!rows->empty()) {
    Frame some(frame, std::move(*rows));
    finish(some);
  }
  // A closed window is what a model was waiting for: nothing more of it will come.
  if (models) models->flush();
}

/// Rows that only need their items.
void Rule::State::finish(Frame& frame) {
  if (models) {
    models->add(frame, to_us(now));
  } else {
    emit(frame);
  }
}

void Rule::State::emit(Frame& frame) {
  std::vector<const Node*> nodes;
  for (const auto& item : plan->items) nodes.push_back(item.node.get());
  auto failed = note_errors(frame, nodes);
  if (!stopped.empty()) {
    dropped += frame.rows();
    return;
  }
  if (failed.empty()) return send(frame);
  std::vector<std::uint32_t> kept;
  drop_rows(failed, kept);
  if (kept.empty()) return;
  Frame good(frame, std::move(kept));
  send(good);
}

void Rule::State::send(Frame& frame) {
  auto batch = frame_rows(frame, plan->output, to_us(now));
  batch.columns.reserve(plan->items.size());
  for (const auto& item : plan->items) {
    Column column;
    if (!copy_column(frame, *item.node, item.field, column)) {
      column = store(frame.eval(*item.node), item.field, frame.rows());
    }
    batch.columns.push_back(std::move(column));
  }
  rows_out += batch.rows();
  if (sinks.out) sinks.out(std::move(batch));
}

}  // namespace infiniedge::stream
