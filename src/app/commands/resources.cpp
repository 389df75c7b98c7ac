// SPDX-License-Identifier: Apache-2.0
// apply, get, describe and delete: resources of a running node.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <thread>

#include "app/commands/command.hpp"
#include "app/commands/print.hpp"
#include "app/config/scalar.hpp"
#include "app/config/validate.hpp"
#include "app/exit_code.hpp"
#include "app/parts.hpp"
#include "app/paths.hpp"
#include "app/table.hpp"

namespace infiniedge::app {
namespace {

namespace json = boost::json;

/// "device/pump-7" or "devices pump-7" → plural and name (may be empty).
Result<std::pair<std::string, std::string>> target_of(const std::vector<std::string>& arguments) {
  if (arguments.empty())
    return Error{Code::Invalid, "name a KIND or KIND/NAME, for example devices or device/pump-7"};
  const auto slash = arguments[0].find('/');
  const auto kind_name = arguments[0].substr(0, slash);
  const auto* kind = config::find_kind(kind_name);
  if (kind == nullptr) {
    const auto near = base::suggest(kind_name, config::kind_names());
    return Error{Code::Invalid,
                 fmt::format("unknown kind \"{}\"{}", kind_name,
                             near ? fmt::format(": did you mean \"{}\"?", *near) : std::string{})};
  }
  auto name = slash == std::string::npos ? (arguments.size() > 1 ? arguments[1] : "")
                                         : arguments[0].substr(slash + 1);
  return std::pair{std::string{kind->plural}, std::move(name)};
}

std::vector<std::string> heads_of(std::string_view plural) {
  if (plural == "devices") return {"NAME", "READY", "CONNECTOR", "RATE", "BAD", "LAST"};
  if (plural == "streams") return {"NAME", "READY", "RATE", "LAG", "DROPPED"};
  if (plural == "models") return {"NAME", "READY", "VERSION", "BACKEND", "DEVICE", "P99", "CLOUD"};
  return {"NAME", "READY", "TO", "BACKLOG", "GAPS"};
}

std::vector<std::string> cells_of(std::string_view plural, const json::value& item) {
  const auto cell = [&](const char* path) { return text_at(item, path); };
  std::vector<std::string> row{cell("/metadata/name"), ready_text(item)};
  if (plural == "devices") {
    row.insert(row.end(), {cell("/spec/connector"), cell("/status/rate"), cell("/status/bad"),
                           cell("/status/last")});
  } else if (plural == "streams") {
    row.insert(row.end(), {cell("/status/rate"), cell("/status/lag_s"), cell("/status/dropped")});
  } else if (plural == "models") {
    row.insert(row.end(), {cell("/status/version"), cell("/status/backend"), cell("/status/device"),
                           cell("/status/p99_us") + "us", cell("/status/cloud_share")});
  } else {
    row.insert(row.end(), {cell("/spec/to"), cell("/status/backlog_rows"), cell("/status/gaps")});
  }
  return row;
}

/// What -o wide adds: why it is as it is, and since when.
std::vector<std::string> wide_cells_of(const json::value& item) {
  const auto condition = ready_condition(item);
  return {text_at(condition, "/lastTransitionTime"), text_at(condition, "/message")};
}

Table table_of(const Call& call, const std::string& plural) {
  auto heads = heads_of(plural);
  if (call.output() == "wide") heads.insert(heads.end(), {"SINCE", "MESSAGE"});
  return Table(heads);
}

void add_row(const Call& call, Table& table, const std::string& plural, const json::value& item) {
  auto row = cells_of(plural, item);
  if (call.output() == "wide") {
    for (auto& cell : wide_cells_of(item)) row.push_back(std::move(cell));
  }
  table.row(std::move(row));
}

int print_list(NodeClient& node, const Call& call, const std::string& plural, bool title) {
  const auto list = node.get("/api/v1/" + plural);
  if (!list) return fail_with(list.error());
  const auto& items = list->at("items").as_array();
  if (call.output() == "json") {
    fmt::print("{}\n", json::serialize(*list));
  } else if (call.output() == "yaml") {
    for (const auto& item : items) fmt::print("---\n{}", as_yaml(item));
  } else {
    auto table = table_of(call, plural);
    for (const auto& item : items) add_row(call, table, plural, item);
    if (title) fmt::print("{}:\n", plural);
    fmt::print("{}{}", table.text(), title ? "\n" : "");
  }
  return 0;
}

int get_one(NodeClient& node, const Call& call, const std::string& plural,
            const std::string& name) {
  const auto item = node.get(fmt::format("/api/v1/{}/{}", plural, name));
  if (!item) return fail_with(item.error());
  if (call.output() == "json") {
    fmt::print("{}\n", json::serialize(*item));
  } else if (call.output() == "yaml") {
    fmt::print("{}", as_yaml(*item));
  } else {
    auto table = table_of(call, plural);
    add_row(call, table, plural, *item);
    fmt::print("{}", table.text());
  }
  return 0;
}

bool confirmed(const Call& call, const std::string& question) {
  if (call.has("--yes")) return true;
  if (isatty(STDIN_FILENO) != 1) return false;
  fmt::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

/// The files as one body in the full spelling, checked here so that positions are the file's.
Result<std::string> body_of(const Call& call, config::Loaded& files, int& exit) {
  auto loaded = config::load(call.values("--file"), config::process_environment());
  const config::Secrets secrets({Paths::defaults().configuration + "/secrets"});
  const BuiltinParts parts;
  auto validated = config::validate(std::move(loaded), parts, secrets, {.environment = false});
  fmt::print(stderr, "{}", config::report(validated.loaded));
  if (!validated.good()) {
    exit = exit_code(Code::Invalid, Input::Configuration);
    return Error{Code::Invalid, "nothing was changed"};
  }
  files = std::move(validated.loaded);
  return full_body(files.resources);
}

/// What the node found in a body made by full_body(), at its place in the files: a resource is
/// a line of that body, and every other line a separator.
std::string refused(const NodeClient& node, const config::Loaded& files) {
  config::Loaded out{.sources = files.sources};
  const auto errors = json::parse(node.problem_errors());
  for (const auto& error : errors.as_array()) {
    const auto file = text_at(error, "/file");
    const auto line = error.at("line").to_number<std::size_t>();
    const auto index = file != "api" || line == 0 ? files.resources.size() : (line - 1) / 2;
    base::Diagnostic found{.file = file,
                           .id = text_at(error, "/id"),
                           .message = text_at(error, "/message"),
                           .suggestion = text_at(error, "/suggestion"),
                           .help = text_at(error, "/help")};
    if (index < files.resources.size()) {
      const auto& resource = files.resources[index];
      const auto* sql = found.id.starts_with('R') ? resource.spec.find("sql") : nullptr;
      const auto& mark = sql == nullptr ? resource.mark : sql->mark;
      found.file = resource.file;
      found.line = mark.line;
      found.column = mark.column;
      found.end = mark.column + 1;
    }
    out.diagnostics.push_back(std::move(found));
  }
  return config::report(out);
}

/// The paths of -f, absolute: the node compares them with those that it was started with.
std::string sources_of(const Call& call) {
  std::string out;
  for (const auto& path : call.values("--file")) {
    std::error_code error;
    if (path != "-") out += std::filesystem::absolute(path, error).string() + "\n";
  }
  return out;
}

/// Polls until every resource is ready. False: some are not when the time is over.
bool wait_until_ready(NodeClient& node, Micros limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    bool all = true;
    for (const auto& kind : config::kinds()) {
      if (kind.later) continue;
      const auto list = node.get("/api/v1/" + std::string{kind.plural});
      if (!list) return false;
      for (const auto& item : list->at("items").as_array()) all = all && ready_text(item) == "True";
    }
    if (all) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

int run_get(const Call& call) {
  auto node = call.node();
  if (!node) return fail_with(node.error());
  if (!call.arguments.empty() && call.arguments[0] == "all") {
    for (const auto& kind : config::kinds()) {
      if (kind.later) continue;
      if (const int code = print_list(**node, call, std::string{kind.plural}, true); code != 0)
        return code;
    }
    return 0;
  }
  const auto target = target_of(call.arguments);
  if (!target) return fail_with(target.error(), Input::Arguments);
  if (!target->second.empty()) return get_one(**node, call, target->first, target->second);
  return print_list(**node, call, target->first, false);
}

int run_describe(const Call& call) {
  const auto target = target_of(call.arguments);
  if (!target) return fail_with(target.error(), Input::Arguments);
  if (target->second.empty())
    return fail_with({Code::Invalid, "describe takes KIND/NAME"}, Input::Arguments);
  auto node = call.node();
  if (!node) return fail_with(node.error());
  const auto item = (*node)->get(fmt::format("/api/v1/{}/{}", target->first, target->second));
  if (!item) return fail_with(item.error());
  fmt::print("{}", call.output() == "json" ? json::serialize(*item) + "\n" : as_yaml(*item));
  return 0;
}

int run_delete(const Call& call) {
  const auto target = target_of(call.arguments);
  if (!target) return fail_with(target.error(), Input::Arguments);
  if (target->second.empty())
    return fail_with({Code::Invalid, "delete takes KIND/NAME"}, Input::Arguments);
  if (!confirmed(call, fmt::format("Delete {}/{}?", target->first, target->second))) {
    return fail_with({Code::Invalid, "not deleted: answer y, or give -y"}, Input::Arguments);
  }
  auto node = call.node();
  if (!node) return fail_with(node.error());
  const auto done =
      (*node)->call("DELETE", fmt::format("/api/v1/{}/{}", target->first, target->second), "");
  if (!done) return fail_with(done.error());
  if (!call.has("--quiet")) fmt::print("{}/{} deleted\n", target->first, target->second);
  return 0;
}

int run_apply(const Call& call) {
  if (call.values("--file").empty())
    return fail_with({Code::Invalid, "apply needs -f PATH"}, Input::Arguments);
  int exit = 0;
  config::Loaded files;
  const auto body = body_of(call, files, exit);
  if (!body) {
    fail_with(body.error());
    return exit;
  }
  auto node = call.node();
  if (!node) return fail_with(node.error());
  const auto target =
      fmt::format("/api/v1/apply?dryRun={}&prune={}&sources={}", call.has("--dry-run"),
                  call.has("--prune"), url_encode(sources_of(call)));
  const auto reply = (*node)->call("POST", target, *body);
  if (!reply) {
    if (!(*node)->problem_errors().empty())
      fmt::print(
          stderr, "{}",
          call.output() == "json" ? (*node)->problem_errors() + "\n" : refused(**node, files));
    return fail_with(reply.error(), Input::Configuration);
  }
  if (call.output() == "json")
    fmt::print("{}\n", json::serialize(*reply));
  else
    fmt::print("{}", change_text(*reply, call.has("--dry-run")));
  const auto limit = config::parse_duration(call.value("--timeout", "30s"));
  if (call.has("--wait") && !call.has("--dry-run") && limit && !wait_until_ready(**node, *limit)) {
    return fail_with(
        {Code::Timeout, "applied, but not everything is ready; see infiniedge get all"});
  }
  const bool changes = change_count(*reply) > 0;
  return call.has("--dry-run") && changes ? 1 : 0;
}

}  // namespace infiniedge::app
