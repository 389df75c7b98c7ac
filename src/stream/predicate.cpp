// SPDX-License-Identifier: Apache-2.0
#include "stream/predicate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stream/batch_rows.hpp"
#include "stream/bind.hpp"
#include "stream/frame.hpp"
#include "stream/parser.hpp"

namespace infiniedge::stream {

struct Expression::Impl {
  SchemaPtr schema;
  std::vector<AnalyticCall> calls;
  std::optional<Analytics> analytics;  // refers to `calls`
  NodePtr node;
  Field field;
  std::uint64_t errors = 0;

  /// Computes over a batch. `use` gets the value and the frame that owns it.
  template <class Use>
  void run(const Batch& batch, Use use) {
    // The frame only borrows the batch while this call lasts.
    const std::shared_ptr<const Batch> borrowed(std::shared_ptr<void>{}, &batch);
    Frame base(borrowed, *schema);
    Frame frame(base);
    analytics->apply(frame);
    const auto& value = frame.eval(*node);
    errors += value.errors.size();
    use(value);
  }
};

Expression::Expression(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

const Field& Expression::field() const { return impl_->field; }
std::uint64_t Expression::errors() const { return impl_->errors; }

Checked<Expression> Expression::compile(std::string_view text, SchemaPtr schema) {
  auto parsed = parse_expression(text);
  if (!parsed) return tl::unexpected(std::move(parsed).error());
  base::Diagnostics errors;
  Binder binder(*schema, "", errors);
  binder.set_first_analytic(schema->fields.size());
  auto node = binder.bind(**parsed, Binder::Place::Row);
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  auto impl = std::make_unique<Impl>();
  impl->field = {.name = "value", .type = node->type, .unit = node->unit};
  if (node->resolution) {
    impl->field.type = Type::Decimal;
    impl->field.resolution = node->resolution;
  }
  impl->schema = std::move(schema);
  impl->node = std::move(node);
  impl->calls = std::move(binder.analytics());
  impl->analytics.emplace(impl->calls);
  return Expression(std::move(impl));
}

Checked<Expression> Expression::compile_condition(std::string_view text, SchemaPtr schema) {
  auto made = compile(text, std::move(schema));
  if (!made || made->field().type == Type::Bool || made->impl_->node->untyped) return made;
  return tl::unexpected(
      base::Diagnostics{{.end = 1 + static_cast<int>(std::min<std::size_t>(text.size(), 120)),
                         .id = "R004",
                         .message = fmt::format("a condition is needed here, this is a {}",
                                                to_string(made->field().type))}});
}

std::vector<bool> Expression::holds(const Batch& batch) {
  std::vector<bool> out(batch.rows(), false);
  if (!well_formed(batch)) return out;
  impl_->run(batch, [&](const Vec& value) {
    if (value.is_float() || value.is_text()) return;  // a bare NULL
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = value.truth(i);
  });
  return out;
}

Column Expression::values(const Batch& batch) {
  Column out;
  if (!well_formed(batch)) {
    return store(Vec::of_constant(impl_->node->type, std::monostate{}), impl_->field, batch.rows());
  }
  impl_->run(batch, [&](const Vec& value) { out = store(value, impl_->field, batch.rows()); });
  return out;
}

namespace {

/// A decimal's stored integer with its digits behind the point, exactly.
std::string decimal_text(std::int64_t scaled, int scale) {
  const bool negative = scaled < 0;
  auto digits = fmt::format(
      "{}", negative ? 0 - static_cast<std::uint64_t>(scaled) : static_cast<std::uint64_t>(scaled));
  const auto places = static_cast<std::size_t>(scale);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places > 0) digits.insert(digits.size() - places, ".");
  return negative ? "-" + digits : digits;
}

}  // namespace

std::string display(const Field& field, const Column& column, std::size_t row) {
  if (column.is_null(row)) return "-";
  switch (field.type) {
    case Type::Bool:
      return column.ints()[row] != 0 ? "true" : "false";
    case Type::Int:
      return fmt::format("{}", column.ints()[row]);
    case Type::Decimal:
      return decimal_text(column.ints()[row], field.resolution.value_or(Resolution{}).scale);
    case Type::Float:
      return fmt::format("{}", column.floats()[row]);
    case Type::String:
      return std::string(column.binary()[row]);
    case Type::Bytes:
      return fmt::format("{} bytes", column.binary()[row].size());
  }
  return "-";
}

namespace {

/// As display(), but a float has six digits: the rest is noise to a reader.
std::string spoken(const Field& field, const Column& column, std::size_t row) {
  if (field.type != Type::Float || column.is_null(row)) return display(field, column, row);
  const double value = column.floats()[row];
  const bool large = std::abs(value) >= 1e6 && std::abs(value) < 1e15;
  return large ? fmt::format("{:.0f}", value) : fmt::format("{:.6g}", value);
}

/// A piece of a template: literal text, or an expression and where it begins.
struct Piece {
  bool expression = false;
  std::string text;
  int column = 1;
};

base::Diagnostic fault(int column, std::string message, std::string suggestion) {
  return {.column = column,
          .end = column + 1,
          .id = "R001",
          .message = std::move(message),
          .suggestion = std::move(suggestion)};
}

std::vector<Piece> cut(std::string_view text, base::Diagnostics& errors) {
  std::vector<Piece> out{Piece{}};
  int column = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) {
      out.back().text.push_back(c);
      continue;
    }
    const bool doubled = (c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c;
    if (doubled && !out.back().expression) {
      out.back().text.push_back(c);
      ++i;
      column += 2;
      continue;
    }
    if (c == '{' && !out.back().expression) {
      out.push_back({.expression = true, .column = column + 1});
    } else if (c == '}' && out.back().expression) {
      out.push_back({});
    } else if (c == '}') {
      errors.push_back(fault(column, "this brace closes nothing; a brace itself is }}", "}}"));
    } else {
      out.back().text.push_back(c);
    }
    ++column;
  }
  if (out.back().expression) {
    errors.push_back(fault(out.back().column - 1, "this brace is not closed", "}"));
  }
  return out;
}

}  // namespace

Checked<Template> Template::compile(std::string_view text, SchemaPtr schema) {
  base::Diagnostics errors;
  const auto pieces = cut(text, errors);
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  Template out;
  for (const auto& piece : pieces) {
    if (!piece.expression) {
      out.texts_.push_back(piece.text);
      continue;
    }
    auto made = Expression::compile(piece.text, schema);
    if (made) {
      out.expressions_.push_back(std::move(*made));
      continue;
    }
    for (auto diagnostic : made.error()) {
      if (diagnostic.line == 1) {
        diagnostic.column += piece.column - 1;
        diagnostic.end += piece.column - 1;
      }
      errors.push_back(std::move(diagnostic));
    }
  }
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  return out;
}

std::string Template::render(const Batch& batch, std::size_t row) {
  if (row >= batch.rows() || !well_formed(batch)) return texts_[0];
  const std::uint32_t only[] = {static_cast<std::uint32_t>(row)};
  const auto one = pick_rows(batch, only, batch.schema);
  std::string out = texts_[0];
  for (std::size_t i = 0; i < expressions_.size(); ++i) {
    out += spoken(expressions_[i].field(), expressions_[i].values(one), 0);
    out += texts_[i + 1];
  }
  return out;
}

}  // namespace infiniedge::stream
