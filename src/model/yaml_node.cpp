// SPDX-License-Identifier: Apache-2.0
#include "model/yaml_node.hpp"

#include <fmt/format.h>
#include <libfyaml.h>

namespace infiniedge::model {
namespace {

constexpr int kMaxDepth = 32;

struct Free {
  void operator()(fy_document* document) const { fy_document_destroy(document); }
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

Error wrong(Position at, std::string_view what) {
  return {Code::Invalid, fmt::format("{}:{}: {}", at.line, at.column, what)};
}

/// Of a scalar; a list or map is found at its first scalar, which is near enough to point at.
Position position_of(fy_node* node, Position fallback) {
  fy_token* token = fy_node_get_scalar_token(node);
  const fy_mark* mark = token != nullptr ? fy_token_start_mark(token) : nullptr;
  return mark != nullptr ? Position{mark->line + 1, mark->column + 1} : fallback;
}

Result<YamlNode> convert(fy_node* node, Position fallback, int depth);

Result<YamlNode> convert_list(fy_node* node, YamlNode out, int depth) {
  void* at = nullptr;
  while (fy_node* item = fy_node_sequence_iterate(node, &at)) {
    auto value = convert(item, out.at, depth + 1);
    if (!value) return std::move(value).error();
    out.items.push_back(std::move(*value));
  }
  return out;
}

Result<YamlNode> convert_map(fy_node* node, YamlNode out, int depth) {
  void* at = nullptr;
  while (fy_node_pair* pair = fy_node_mapping_iterate(node, &at)) {
    auto key = convert(fy_node_pair_key(pair), out.at, depth + 1);
    if (!key) return std::move(key).error();
    if (key->kind != YamlNode::Kind::Scalar) return wrong(key->at, "a key is a word");
    auto value = convert(fy_node_pair_value(pair), key->at, depth + 1);
    if (!value) return std::move(value).error();
    out.entries.push_back({std::move(key->text), key->at, std::move(*value)});
  }
  return out;
}

Result<YamlNode> convert(fy_node* node, Position fallback, int depth) {
  YamlNode out{.kind = YamlNode::Kind::Null, .at = fallback};
  if (node == nullptr) return out;
  out.at = position_of(node, fallback);
  if (depth > kMaxDepth) return wrong(out.at, "nested too deep");
  if (fy_node_is_alias(node)) return wrong(out.at, "aliases are not allowed here");
  if (fy_node_get_type(node) == FYNT_SEQUENCE) {
    out.kind = YamlNode::Kind::List;
    return convert_list(node, std::move(out), depth);
  }
  if (fy_node_get_type(node) == FYNT_MAPPING) {
    out.kind = YamlNode::Kind::Map;
    return convert_map(node, std::move(out), depth);
  }
  std::size_t length = 0;
  const char* text = fy_node_get_scalar(node, &length);
  if (text != nullptr) out.text.assign(text, length);
  out.plain = fy_node_get_style(node) == FYNS_PLAIN;
  const bool null = out.plain && (out.text.empty() || out.text == "null" || out.text == "~");
  out.kind = null ? YamlNode::Kind::Null : YamlNode::Kind::Scalar;
  return out;
}

Error first_error(fy_diag* diag) {
  void* at = nullptr;
  if (const fy_diag_error* error = fy_diag_errors_iterate(diag, &at)) {
    const Position position{error->line > 0 ? error->line : 1,
                            error->column > 0 ? error->column : 1};
    return wrong(position, error->msg != nullptr ? error->msg : "not YAML");
  }
  return wrong({}, "not YAML");
}

}  // namespace

Result<YamlNode> parse_yaml(std::string_view text) {
  fy_diag_cfg diag_config;
  fy_diag_cfg_default(&diag_config);
  diag_config.fp = nullptr;
  std::unique_ptr<fy_diag, Free> diag(fy_diag_create(&diag_config));
  if (!diag) return Error{Code::Internal, "out of memory while reading YAML"};
  fy_diag_set_collect_errors(diag.get(), true);
  fy_parse_cfg config{};
  config.flags = FYPCF_QUIET;
  config.diag = diag.get();
  std::unique_ptr<fy_document, Free> document(
      fy_document_build_from_string(&config, text.data(), text.size()));
  if (!document) return first_error(diag.get());
  return convert(fy_document_root(document.get()), {}, 0);
}

}  // namespace infiniedge::model
