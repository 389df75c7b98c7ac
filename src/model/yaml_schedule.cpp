// SPDX-License-Identifier: Apache-2.0
#include "model/yaml_schedule.hpp"

#include <charconv>

#include "model/schedules.hpp"

namespace infiniedge::model {
namespace {

using base::yaml::Node;

PbValue value_of(const Node& node);

void add_fields(const std::string& name, Position at, const Node& node, std::vector<PbField>& out) {
  if (node.kind == Node::Kind::Sequence) {
    for (const auto& item : node.items) {
      out.push_back({name, {item.mark.line, item.mark.column}, value_of(item)});
    }
  } else if (!node.is_null()) {
    out.push_back({name, at, value_of(node)});
  }
}

PbValue::Kind kind_of(const Node& node) {
  const auto& text = node.text;
  if (!node.plain) return PbValue::Kind::String;
  if (text == "true" || text == "false") return PbValue::Kind::Word;
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stop == text.data() + text.size() ? PbValue::Kind::Number
                                                                   : PbValue::Kind::String;
}

/// YAML as the fields that JSON would give; its reader has bounded the depth.
PbValue value_of(const Node& node) {
  PbValue out{.at = {node.mark.line, node.mark.column}, .fields = {}};
  if (node.kind != Node::Kind::Mapping) {
    out.kind = kind_of(node);
    out.text = node.text;
    return out;
  }
  out.kind = PbValue::Kind::Message;
  for (const auto& entry : node.entries) {
    add_fields(entry.key, {entry.mark.line, entry.mark.column}, entry.value, out.fields);
  }
  return out;
}

/// `read(context, value)`; model.yaml puts the file before an error itself.
template <class Read>
Result<void> read_as_message(const Node::Entry& entry, const std::string& file, Read read) {
  std::vector<std::string> warnings;
  const pbtxt::Context context{file, warnings, pbtxt::Context::Form::Json};
  const auto value = value_of(entry.value);
  auto done = value.kind == PbValue::Kind::Message
                  ? read(context, value)
                  : Result<void>{context.error(value.at, "takes keys and values")};
  if (done) return {};
  return Error{done.error().code(), done.error().message().substr(file.size() + 1)};
}

}  // namespace

Result<void> read_sequence_batching(const Node::Entry& entry, const std::string& file,
                                    ModelConfig& config) {
  return read_as_message(entry, file, [&](const auto& context, const PbValue& value) {
    return read_sequences(context, value, config.sequences.emplace());
  });
}

Result<void> read_ensemble_scheduling(const Node::Entry& entry, const std::string& file,
                                      ModelConfig& config) {
  config.steps.clear();
  return read_as_message(entry, file, [&](const auto& context, const PbValue& value) {
    return read_ensemble(context, value, config);
  });
}

}  // namespace infiniedge::model
