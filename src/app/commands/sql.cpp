// SPDX-License-Identifier: Apache-2.0
// sql: one query, or a prompt that takes one after the other.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <iostream>

#include "app/commands/command.hpp"
#include "app/commands/print.hpp"
#include "app/exit_code.hpp"
#include "app/table.hpp"
#include "base/diagnostic.hpp"

namespace infiniedge::app {
namespace {

namespace json = boost::json;

constexpr const char* kHere = "sql";  ///< Stands where a file's name would.

base::Diagnostic diagnostic_of(const json::value& error) {
  const auto number = [&](const char* name) { return error.at(name).to_number<int>(); };
  return {.file = kHere,
          .line = number("line"),
          .column = number("column"),
          .end = number("end"),
          .id = text_at(error, "/id"),
          .message = text_at(error, "/message"),
          .suggestion = text_at(error, "/suggestion"),
          .help = text_at(error, "/help")};
}

/// Points at the place in the query, where the node told one.
int query_failed(const NodeClient& node, const Error& error, const std::string& sql) {
  if (node.problem_errors().empty()) return fail_with(error);
  const auto errors = json::parse(node.problem_errors());
  for (const auto& found : errors.as_array())
    fmt::print(stderr, "{}", base::format(diagnostic_of(found), sql));
  return exit_code(error.code());
}

int print_text(NodeClient& node, const std::string& sql, const std::string& body, bool csv) {
  const auto text = node.text("POST", "/v1/query", body, csv ? "text/csv" : "application/json");
  if (!text) return query_failed(node, text.error(), sql);
  fmt::print("{}{}", *text, text->ends_with('\n') ? "" : "\n");
  return 0;
}

std::string cell_text(const json::value& cell) {
  if (cell.is_null()) return "";
  return cell.is_string() ? std::string{cell.as_string()} : json::serialize(cell);
}

void print_table(const json::value& reply) {
  std::vector<std::string> heads;
  for (const auto& column : reply.at("columns").as_array())
    heads.push_back(text_at(column, "/name"));
  Table table(heads);
  for (const auto& row : reply.at("rows").as_array()) {
    std::vector<std::string> cells;
    for (const auto& cell : row.as_array()) cells.push_back(cell_text(cell));
    table.row(std::move(cells));
  }
  fmt::print("{}", table.text());
  if (text_at(reply, "/truncated") == "true")
    fmt::print(stderr, "… cut; ask for fewer rows or use -o csv\n");
}

int query(NodeClient& node, const Call& call, const std::string& sql) {
  const auto body = json::serialize(json::object{{"sql", sql}});
  const auto format = call.output();
  if (format == "csv" || format == "json") return print_text(node, sql, body, format == "csv");
  const auto reply = node.call("POST", "/v1/query", body);
  if (!reply) return query_failed(node, reply.error(), sql);
  print_table(*reply);
  return 0;
}

int prompt(NodeClient& node, const Call& call) {
  std::string line, text;
  const bool terminal = isatty(STDIN_FILENO) == 1;
  int code = 0;
  while (true) {
    if (terminal) fmt::print(stderr, "{}", text.empty() ? "infiniedge> " : "       ...> ");
    if (!std::getline(std::cin, line)) break;
    text += line + "\n";
    const auto end = text.find_last_not_of(" \n\t");
    if (end == std::string::npos || text[end] != ';') continue;
    text.resize(end);
    code = query(node, call, text);
    text.clear();
  }
  if (text.find_first_not_of(" \n\t") != std::string::npos) code = query(node, call, text);
  return code;
}

}  // namespace

int run_sql(const Call& call) {
  auto node = call.node();
  if (!node) return fail_with(node.error());
  if (call.arguments.empty()) return prompt(**node, call);
  return query(**node, call, call.arguments[0]);
}

}  // namespace infiniedge::app
