// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.hpp"

#include <fmt/format.h>
#include <libfyaml.h>

#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "base/utf8.hpp"

namespace infiniedge::base::yaml {
namespace {

struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagDeleter {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

std::string_view token_text(fy_token* token) {
  std::size_t length = 0;
  const char* text = token == nullptr ? nullptr : fy_token_get_text(token, &length);
  return text == nullptr ? std::string_view{} : std::string_view{text, length};
}

/// Builds trees from libfyaml's events.
class Builder {
 public:
  Builder(std::string_view text, const std::string& file, const Limits& limits)
      : text_(text), file_(file), limits_(limits) {}

  Parsed run();

 private:
  fy_event* next() { return fy_parser_parse(parser_.get()); }
  void free(fy_event* event) { fy_parser_event_free(parser_.get(), event); }
  void documents();
  bool node(fy_event* event, Node& out, int depth);
  bool sequence(Node& out, int depth);
  bool mapping(Node& out, int depth);
  bool value_of_key(const Node& key, Node& out, std::vector<Node>& defaults, int depth);
  void merge(const Node& value, Node& out);
  bool alias(std::string_view name, const Mark& mark, Node& out);
  bool count(std::size_t n, const Mark& mark);
  Mark mark_of(fy_event* event) const;
  int indentation(int line) const;
  bool fault(const Mark& mark, std::string id, std::string message);
  void library_faults();

  std::string_view text_;
  const std::string& file_;
  Limits limits_;
  std::unique_ptr<fy_diag, DiagDeleter> diag_;
  std::unique_ptr<fy_parser, ParserDeleter> parser_;
  std::map<std::string, Node, std::less<>> anchors_;
  std::size_t nodes_ = 0;
  Parsed out_;
};

std::size_t size_of(const Node& node) {
  std::size_t n = 1;
  for (const auto& item : node.items) n += size_of(item);
  for (const auto& entry : node.entries) n += size_of(entry.value);
  return n;
}

Parsed Builder::run() {
  fy_diag_cfg diag_config;
  fy_diag_cfg_default(&diag_config);
  diag_config.fp = nullptr;
  diag_config.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
  diag_.reset(fy_diag_create(&diag_config));
  fy_diag_set_collect_errors(diag_.get(), true);
  fy_parse_cfg config{};
  config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG);
  config.diag = diag_.get();
  parser_.reset(fy_parser_create(&config));
  if (!parser_ || fy_parser_set_string(parser_.get(), text_.data(), text_.size()) != 0) {
    fault({}, "syntax", "the text cannot be read as YAML");
    return std::move(out_);
  }
  documents();
  if (fy_parser_get_stream_error(parser_.get())) library_faults();
  return std::move(out_);
}

void Builder::documents() {
  while (auto* event = next()) {
    const auto type = event->type;
    if (type == FYET_DOCUMENT_START) anchors_.clear();
    const bool content = type == FYET_SCALAR || type == FYET_SEQUENCE_START ||
                         type == FYET_MAPPING_START || type == FYET_ALIAS;
    Node document;
    const bool whole = !content || node(event, document, 0);
    if (!content) free(event);
    if (!whole) return;
    if (content) out_.documents.push_back(std::move(document));
    if (type == FYET_STREAM_END) return;
  }
}

Mark Builder::mark_of(fy_event* event) const {
  const fy_mark* start = fy_event_start_mark(event);
  const fy_mark* end = fy_event_end_mark(event);
  if (start == nullptr) return {};
  Mark mark{start->line + 1, start->column + 1, start->column + 2};
  if (end != nullptr && end->line == start->line && end->column > start->column) {
    mark.end = end->column + 1;
  }
  return mark;
}

/// Spaces that the line starts with: where the text of a `|` block begins.
int Builder::indentation(int line) const {
  std::size_t at = 0;
  for (int i = 1; i < line && at != std::string_view::npos; ++i) at = text_.find('\n', at) + 1;
  const auto first = text_.find_first_not_of(' ', at);
  return first == std::string_view::npos ? 0 : static_cast<int>(first - at);
}

/// Takes ownership of `event`.
bool Builder::node(fy_event* event, Node& out, int depth) {
  out.mark = mark_of(event);
  const auto type = event->type;
  std::string anchor;
  if (type != FYET_ALIAS) anchor = token_text(fy_event_get_anchor_token(event));
  std::string text;
  if (type == FYET_SCALAR || type == FYET_ALIAS) text = token_text(fy_event_get_token(event));
  const auto style = fy_event_get_node_style(event);
  const bool empty = type == FYET_SCALAR && fy_event_get_token(event) == nullptr;
  free(event);
  if (depth > limits_.depth) {
    return fault(out.mark, "syntax", fmt::format("nested deeper than {} levels", limits_.depth));
  }
  if (!count(1, out.mark)) return false;
  bool whole = true;
  if (type == FYET_ALIAS) {
    whole = alias(text, out.mark, out);
  } else if (type == FYET_SCALAR) {
    out.kind = empty ? Node::Kind::Null : Node::Kind::Scalar;
    out.plain = style == FYNS_PLAIN;
    out.block = style == FYNS_LITERAL;
    if (out.block) out.mark.column = 1 + indentation(out.mark.line);
    out.text = std::move(text);
  } else {
    whole = type == FYET_SEQUENCE_START ? sequence(out, depth) : mapping(out, depth);
  }
  if (whole && !anchor.empty()) anchors_[anchor] = out;
  return whole;
}

bool Builder::sequence(Node& out, int depth) {
  out.kind = Node::Kind::Sequence;
  while (auto* event = next()) {
    if (event->type == FYET_SEQUENCE_END) {
      free(event);
      return true;
    }
    if (!node(event, out.items.emplace_back(), depth + 1)) return false;
  }
  return false;
}

bool Builder::mapping(Node& out, int depth) {
  out.kind = Node::Kind::Mapping;
  std::vector<Node> defaults;
  while (auto* event = next()) {
    if (event->type == FYET_MAPPING_END) {
      free(event);
      for (const auto& value : defaults) merge(value, out);  // Own keys win.
      return true;
    }
    Node key;
    if (!node(event, key, depth + 1)) return false;
    if (key.kind != Node::Kind::Scalar) {
      return fault(key.mark, "syntax", "a key must be plain text");
    }
    if (!value_of_key(key, out, defaults, depth)) return false;
  }
  return false;
}

bool Builder::value_of_key(const Node& key, Node& out, std::vector<Node>& defaults, int depth) {
  auto* event = next();
  if (event == nullptr) return false;
  Node value;
  if (!node(event, value, depth + 1)) return false;
  if (key.plain && key.text == "<<") {
    defaults.push_back(std::move(value));
    return true;
  }
  if (const auto* first = out.entry(key.text)) {
    fault(key.mark, "duplicate-key",
          fmt::format("key \"{}\" is already at line {}", key.text, first->mark.line));
    return true;  // The first one counts; later checks go on.
  }
  out.entries.push_back({key.text, key.mark, std::move(value)});
  return true;
}

/// `<<: *defaults` fills in what the mapping does not have itself.
void Builder::merge(const Node& value, Node& out) {
  if (value.kind == Node::Kind::Sequence) {
    for (const auto& item : value.items) merge(item, out);
    return;
  }
  for (const auto& entry : value.entries) {
    if (out.entry(entry.key) == nullptr) out.entries.push_back(entry);
  }
}

bool Builder::alias(std::string_view name, const Mark& mark, Node& out) {
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) {
    return fault(mark, "syntax", fmt::format("alias *{} has no anchor before it", name));
  }
  if (!count(size_of(found->second), mark)) return false;
  out = found->second;
  out.mark = mark;
  return true;
}

bool Builder::count(std::size_t n, const Mark& mark) {
  nodes_ += n;
  if (nodes_ <= limits_.nodes) return true;
  return fault(mark, "syntax", fmt::format("more than {} values in one file", limits_.nodes));
}

bool Builder::fault(const Mark& mark, std::string id, std::string message) {
  out_.diagnostics.push_back({.file = file_,
                              .line = mark.line,
                              .column = mark.column,
                              .end = mark.end,
                              .id = std::move(id),
                              .message = std::move(message)});
  return false;
}

void Builder::library_faults() {
  void* previous = nullptr;
  while (const auto* error = fy_diag_errors_iterate(diag_.get(), &previous)) {
    Mark mark{error->line, error->column, error->column + 1};
    fault(mark, "syntax", error->msg == nullptr ? "not YAML" : error->msg);
    return;  // What follows the first one is mostly its echo.
  }
  fault({}, "syntax", "not YAML");
}

}  // namespace

const Node::Entry* Node::entry(std::string_view key) const {
  for (const auto& candidate : entries) {
    if (candidate.key == key) return &candidate;
  }
  return nullptr;
}

const Node* Node::find(std::string_view key) const {
  const auto* found = entry(key);
  return found == nullptr ? nullptr : &found->value;
}

Parsed parse(std::string_view text, const std::string& file, const Limits& limits) {
  Parsed refused;
  if (text.size() > limits.bytes) {
    refused.diagnostics.push_back(
        {.file = file,
         .id = "syntax",
         .message = fmt::format("the file is larger than {} bytes", limits.bytes)});
    return refused;
  }
  // libfyaml lets both through.
  if (const auto bad = find_invalid_text(text)) {
    refused.diagnostics.push_back({.file = file,
                                   .line = bad->line,
                                   .column = bad->column,
                                   .end = bad->column + 1,
                                   .id = "syntax",
                                   .message = bad->message});
    return refused;
  }
  return Builder(text, file, limits).run();
}

}  // namespace infiniedge::base::yaml
