// SPDX-License-Identifier: Apache-2.0
#include "stream/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <set>

#include "base/suggest.hpp"
#include "stream/bind.hpp"
#include "stream/parser.hpp"
#include "stream/planner.hpp"

namespace infiniedge::stream {
namespace {

constexpr std::int64_t kLongest = std::int64_t{3653} * 86'400'000'000;  // ten years
constexpr std::int64_t kMaxPanes = 10'000;
constexpr std::string_view kReservedNames[] = {"device", "ts", "_q", "_seq", "_stream", "_version"};

bool is_implicit(const Expr& expr) {
  return expr.kind == Expr::Kind::Name &&
         (expr.text == "device" || expr.text == "ts" || expr.text == "_q");
}

bool uses_model(const Node& node) {
  if (node.kind == Node::Kind::Column) return node.column >= Binder::kFirstModel;
  return std::any_of(node.args.begin(), node.args.end(),
                     [](const NodePtr& arg) { return uses_model(*arg); });
}

void collect_columns(const Node& node, std::set<std::size_t>& out) {
  if (node.kind == Node::Kind::Column && node.column < Binder::kFirstModel) out.insert(node.column);
  for (const auto& arg : node.args) collect_columns(*arg, out);
}

/// m.temp and temp are the same: one spelling, so that they are recognised.
void drop_qualifier(Expr* expr, const std::string& stream, const std::string& alias) {
  if (expr == nullptr) return;
  if (expr->qualifier == stream || expr->qualifier == alias) expr->qualifier.clear();
  for (auto& arg : expr->args) drop_qualifier(arg.get(), stream, alias);
  drop_qualifier(expr->filter.get(), stream, alias);
  if (!expr->over) return;
  for (auto& part : expr->over->partition) drop_qualifier(part.get(), stream, alias);
  drop_qualifier(expr->over->when.get(), stream, alias);
}

/// The first call of an aggregate in an expression, outermost first.
const Expr* find_aggregate(const Expr& expr) {
  if (expr.kind == Expr::Kind::Call && is_aggregate(expr.text)) return &expr;
  for (const auto& arg : expr.args) {
    if (const auto* found = find_aggregate(*arg)) return found;
  }
  return nullptr;
}

std::string identifier(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 && byte < 0x80) {
      out.push_back(static_cast<char>(std::tolower(byte)));
    } else if (!out.empty() && out.back() != '_') {
      out.push_back('_');
    }
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) != 0) out = "_" + out;
  return out.substr(0, 63);
}

bool is_identifier(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= 63 && (text[0] < '0' || text[0] > '9') &&
         std::all_of(text.begin(), text.end(), good);
}

}  // namespace

std::string sql_name(std::string_view resource) {
  std::string out(resource);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

Planner::Planner(const RuleSpec& spec, const SchemaSource& schemas, const Predictor* predictor,
                 Select select)
    : spec_(spec),
      schemas_(schemas),
      predictor_(predictor),
      select_(std::move(select)),
      plan_(std::make_shared<Plan>()) {}

Checked<std::shared_ptr<const Plan>> Planner::run() {
  refuse_what_does_not_run();
  if (!find_input()) return tl::unexpected(std::move(errors_));
  drop_own_qualifiers();
  plan_->late = select_.late.value_or(spec_.late.value_or(LatePolicy::Update));
  Binder binder(*plan_->input, select_.from.alias ? select_.from.alias->text : "", errors_);
  binder_ = &binder;
  binder.set_first_analytic(plan_->input->fields.size());
  if (select_.where)
    plan_->where = binder.bind_condition(*select_.where, Binder::Place::Row, "WHERE");
  bind_window();
  bind_items();
  bind_having();
  if (!errors_.empty()) return tl::unexpected(std::move(errors_));
  plan_->analytics = std::move(binder.analytics());
  finish_window();
  finish_schema();
  finish_keys();
  if (plan_->analytics.empty() && !plan_->window) choose_index();
  std::set<std::size_t> columns;
  for (const auto& item : plan_->items) collect_columns(*item.node, columns);
  plan_->carried.assign(columns.begin(), columns.end());
  return plan_;
}

void Planner::error(const Span& at, std::string id, std::string message, std::string suggestion) {
  errors_.push_back({.line = at.line,
                     .column = at.column,
                     .end = at.end,
                     .id = std::move(id),
                     .message = std::move(message),
                     .suggestion = std::move(suggestion)});
}

void Planner::drop_own_qualifiers() {
  const auto& stream = select_.from.name.text;
  const auto alias = select_.from.alias ? select_.from.alias->text : stream;
  for (auto& item : select_.items) drop_qualifier(item.expr.get(), stream, alias);
  for (auto& group : select_.groups) drop_qualifier(group.get(), stream, alias);
  drop_qualifier(select_.where.get(), stream, alias);
  drop_qualifier(select_.having.get(), stream, alias);
  if (select_.window) drop_qualifier(select_.window->filter.get(), stream, alias);
}

void Planner::refuse_what_does_not_run() {
  const auto refuse = [this](const Span& at, std::string_view what, std::string_view instead) {
    error(at, "unsupported",
          fmt::format("{} is understood, but does not run yet; {}", what, instead));
  };
  for (const auto& join : select_.joins) {
    refuse(join.span, "JOIN", "keep the values in one stream");
  }
  if (select_.from.query) refuse(select_.from.span, "an inner select", "make it a rule of its own");
  if (select_.window) {
    const auto kind = select_.window->kind;
    constexpr std::string_view kInstead = "use TUMBLE, HOP or COUNT_WINDOW";
    if (kind == Window::Kind::Slide) refuse(select_.window->span, "SLIDE", kInstead);
    if (kind == Window::Kind::Session) refuse(select_.window->span, "SESSION", kInstead);
    if (kind == Window::Kind::State) refuse(select_.window->span, "STATE_WINDOW", kInstead);
  }
  if (select_.emit && select_.emit->kind != Emit::Kind::OnClose) {
    refuse(select_.emit->span, "this EMIT", "results come when the window closes");
  }
}

bool Planner::find_input() {
  if (select_.from.query) return false;
  const auto& name = select_.from.name;
  if (name.text == sql_name(spec_.name)) {
    error(name.span, "cycle", fmt::format("\"{}\" reads its own stream", name.text));
    return false;
  }
  plan_->input = schemas_.find(name.text);
  if (plan_->input) {
    plan_->inputs = {name.text};
    return true;
  }
  const auto names = schemas_.names();
  const auto near = base::suggest(name.text, names);
  auto message = fmt::format("no stream \"{}\"", name.text);
  const auto n = static_cast<std::ptrdiff_t>(std::min<std::size_t>(8, names.size()));
  if (!near && n > 0) {
    message += fmt::format("; there {} {}", n == 1 ? "is" : "are",
                           fmt::join(names.begin(), names.begin() + n, ", "));
  }
  error(name.span, "R002", std::move(message), near.value_or(""));
  return false;
}

void Planner::bind_window() {
  const Expr* aggregate = nullptr;
  for (const auto& item : select_.items) {
    if (item.expr && aggregate == nullptr) aggregate = find_aggregate(*item.expr);
  }
  if (select_.having && aggregate == nullptr) aggregate = find_aggregate(*select_.having);
  const bool grouped = select_.window || !select_.groups.empty() || aggregate != nullptr;
  if (!grouped) return;
  if (!select_.window) {
    const auto& at = aggregate != nullptr ? aggregate->span : select_.groups[0]->span;
    error(at, "R005",
          aggregate != nullptr
              ? fmt::format("{}() over an endless stream needs a window", aggregate->text)
              : std::string("GROUP BY over an endless stream needs a window"),
          select_.groups.empty() ? "GROUP BY TUMBLE(10s)" : "TUMBLE(10s)");
  }
  plan_->window.emplace();
  if (select_.window) window_sizes(*select_.window);
  binder_->set_groups(group_expressions(), *plan_->window);
  if (select_.window && select_.window->filter) {
    plan_->window->filter =
        binder_->bind_condition(*select_.window->filter, Binder::Place::Row, "FILTER");
  }
}

std::vector<const Expr*> Planner::group_expressions() const {
  std::vector<const Expr*> out;
  for (const auto& group : select_.groups) {
    const Expr* expr = group.get();
    const bool bare = expr->kind == Expr::Kind::Name && expr->qualifier.empty();
    const bool column = bare && (plan_->input->find(expr->text) || is_implicit(*expr));
    for (const auto& item : select_.items) {
      // Not a column, so perhaps an item: GROUP BY shift for time_bucket(8h, ts) AS shift.
      if (bare && !column && item.alias && item.alias->text == expr->text) expr = item.expr.get();
    }
    out.push_back(expr);
  }
  return out;
}

void Planner::window_sizes(const Window& window) {
  auto& out = *plan_->window;
  out.kind = window.kind;
  out.size = window.first;
  out.every = window.kind == Window::Kind::Tumble ? window.first : window.second;
  out.offset = window.kind == Window::Kind::Tumble ? window.second : 0;
  const bool timed = window.kind != Window::Kind::Count;
  if (out.size <= 0 || out.every <= 0 || (timed && (out.size > kLongest || out.every > kLongest))) {
    return error(window.span, "R004",
                 timed ? "the window's times lie between 1us and ten years"
                       : "the window's counts are at least 1");
  }
  const auto panes = out.size / std::gcd(out.size, out.every);
  const bool too_many = window.kind != Window::Kind::Tumble && panes > kMaxPanes;
  if (too_many) {
    error(window.span, "R007",
          fmt::format("this window would keep {} parts, more than {}: choose a step that divides "
                      "its length more evenly",
                      panes, kMaxPanes));
  }
}

Binder::Place Planner::place() const {
  return plan_->window ? Binder::Place::Group : Binder::Place::Row;
}

void Planner::bind_items() {
  for (const auto& item : select_.items) {
    if (item.star) {
      bind_star(item);
    } else if (item.expr->kind == Expr::Kind::Call && item.expr->text == "model") {
      bind_model(item);
    } else {
      bind_item(item);
    }
  }
}

void Planner::bind_star(const Item& item) {
  if (plan_->window) {
    return error(item.span, "R004", "\"*\" has no meaning with a window: name the aggregates");
  }
  std::vector<std::string> names;
  for (const auto& field : plan_->input->fields) names.push_back(field.name);
  for (const auto& except : item.except) {
    if (plan_->input->find(except.text)) continue;
    error(except.span, "R003",
          fmt::format("no column \"{}\" in {}", except.text, plan_->input->stream),
          base::suggest(except.text, names).value_or(""));
  }
  for (const auto& field : plan_->input->fields) {
    const auto same = [&](const Name& name) { return name.text == field.name; };
    if (std::any_of(item.except.begin(), item.except.end(), same)) continue;
    // `_version` of the rule upstream is not this rule's.
    if (field.name == "_version") continue;
    const auto name = make_name(field.name, item.span);
    add_item(field.name, binder_->bind(*name, Binder::Place::Row), item.span);
  }
}

void Planner::bind_item(const Item& item) {
  const auto& expr = *item.expr;
  auto node = binder_->bind(expr, place());
  if (!node) return;
  // Every row has device, time and quality: selecting them adds nothing.
  if (is_implicit(expr) && !item.alias) return;
  auto name = item.alias ? item.alias->text : default_name(expr);
  if (item.alias && !is_identifier(name)) {
    return error(item.alias->span, "R004",
                 fmt::format("\"{}\" cannot name a column: a-z, 0-9 and _ only, at most 63", name),
                 identifier(name));
  }
  const bool reserved = std::find(std::begin(kReservedNames), std::end(kReservedNames), name) !=
                        std::end(kReservedNames);
  if (reserved) {
    return error(item.alias ? item.alias->span : item.span, "R004",
                 fmt::format("\"{}\" is a column that every stream has; choose another name", name),
                 name.starts_with('_') ? name.substr(1) + "_value" : name + "_value");
  }
  binder_->define(name, node);
  add_item(name, std::move(node), item.alias ? item.alias->span : item.span);
}

std::string Planner::default_name(const Expr& expr) const {
  if (expr.kind == Expr::Kind::Name) return expr.text;
  std::string name = expr.kind == Expr::Kind::Call ? expr.text : "value";
  if (expr.kind == Expr::Kind::Call && !expr.args.empty() &&
      expr.args[0]->kind == Expr::Kind::Name) {
    name += "_" + expr.args[0]->text;
  }
  name = identifier(name);
  const auto taken = [&](const std::string& wanted) {
    return std::any_of(plan_->items.begin(), plan_->items.end(),
                       [&](const auto& item) { return item.field.name == wanted; });
  };
  auto unique = name;
  for (int i = 2; taken(unique); ++i) unique = fmt::format("{}_{}", name, i);
  return unique;
}

void Planner::add_item(const std::string& name, NodePtr node, const Span& at) {
  if (!node) return;
  for (const auto& item : plan_->items) {
    if (item.field.name != name) continue;
    return error(at, "R004", fmt::format("two columns are named \"{}\"", name), name + "_2");
  }
  Field field{.name = name, .type = node->type, .unit = node->unit};
  if (node->resolution) {
    field.type = Type::Decimal;
    field.resolution = node->resolution;
  }
  plan_->items.push_back({std::move(node), std::move(field)});
}

void Planner::bind_model(const Item& item) {
  const auto& expr = *item.expr;
  if (expr.args.empty() || expr.args[0]->kind != Expr::Kind::String || expr.args.size() < 2) {
    return error(item.span, "R004",
                 "model() takes a name and values, as in model('bearing', vib, temp)");
  }
  ModelCall call;
  call.model = expr.args[0]->text;
  call.alias = item.alias ? item.alias->text : identifier(call.model);
  if (!is_identifier(call.alias)) {
    return error(item.alias->span, "R004", fmt::format("\"{}\" cannot name columns", call.alias),
                 identifier(call.alias));
  }
  std::optional<std::size_t> width = 0;
  for (std::size_t i = 1; i < expr.args.size(); ++i) {
    if (!model_argument(*expr.args[i], call, width)) width.reset();
  }
  check_model(expr, call, width);
  constexpr struct {
    std::string_view member, column;
    Type type;
  } kMembers[] = {{"label", "label", Type::String},
                  {"score", "score", Type::Float},
                  {"route", "route", Type::String},
                  {"_err", "err", Type::String}};
  call.first_column = Binder::kFirstModel + 4 * plan_->models.size();
  for (std::size_t i = 0; i < 4; ++i) {
    const auto name = fmt::format("{}_{}", call.alias, kMembers[i].column);
    auto node = binder_->local_column(call.first_column + i, kMembers[i].type, name);
    binder_->define_member(call.alias, std::string(kMembers[i].member), node);
    add_item(name, std::move(node), item.span);
  }
  plan_->models.push_back(std::move(call));
}

/// False: the argument is wrong, or its width is known only at run time.
bool Planner::model_argument(const Expr& arg, ModelCall& call, std::optional<std::size_t>& width) {
  auto node = binder_->bind(arg, place());
  if (!node) return false;
  if (uses_model(*node)) {
    error(arg.span, "unsupported",
          "a model's answer cannot feed another model of the same rule; read this stream in a "
          "second rule");
    return false;
  }
  if (node->type == Type::String) {
    error(arg.span, "R004", "model() takes numbers and bytes of float32, found a string");
    return false;
  }
  const bool bytes = node->type == Type::Bytes;
  const auto own = bytes ? node->width : std::optional<std::size_t>(1);
  if (width && own) *width += *own;
  call.args.push_back(std::move(node));
  return own.has_value();
}

void Planner::check_model(const Expr& expr, const ModelCall& call,
                          const std::optional<std::size_t>& width) {
  if (predictor_ == nullptr) return;
  const auto wanted = predictor_->width(call.model);
  if (!wanted) {
    const auto code = wanted.error().code();
    if (code == Code::NotFound)
      return error(expr.args[0]->span, "R009", fmt::format("no model \"{}\"", call.model));
    if (code == Code::Unsupported)
      return error(expr.args[0]->span, "R009", wanted.error().message());
    return;  // A model that is not up yet is judged when it is asked.
  }
  if (*wanted == 0 || !width || *wanted == *width) return;
  error(expr.span, "R009",
        fmt::format("model \"{}\" takes {} values, these arguments give {}", call.model, *wanted,
                    *width));
}

void Planner::bind_having() {
  if (!select_.having) return;
  if (!plan_->window) {
    return error(select_.having->span, "R005", "HAVING needs a window; use WHERE", "WHERE");
  }
  plan_->having = binder_->bind_condition(*select_.having, Binder::Place::Group, "HAVING");
  if (plan_->having && uses_model(*plan_->having)) {
    error(select_.having->span, "unsupported",
          "HAVING cannot wait for a model; filter in a rule that reads this stream");
  }
}

ExprPtr Planner::make_name(const std::string& text, const Span& span) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = Expr::Kind::Name;
  expr->text = text;
  expr->span = span;
  return expr;
}

Checked<std::shared_ptr<const Plan>> make_plan(const RuleSpec& spec, const SchemaSource& schemas,
                                               const Predictor* predictor) {
  auto select = parse(spec.sql);
  if (!select) return tl::unexpected(std::move(select).error());
  return Planner(spec, schemas, predictor, std::move(*select)).run();
}

}  // namespace infiniedge::stream
