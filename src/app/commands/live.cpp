// SPDX-License-Identifier: Apache-2.0
// tap, logs, device, model and ps: what happens on a running node.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <optional>

#include "app/commands/command.hpp"
#include "app/commands/print.hpp"
#include "app/config/scalar.hpp"
#include "app/config/schema.hpp"
#include "app/exit_code.hpp"
#include "app/table.hpp"

namespace infiniedge::app {
namespace {

namespace json = boost::json;

std::string row_text(const json::value& row) {
  std::string out;
  if (!row.is_object()) return json::serialize(row);
  for (const auto& [key, value] : row.as_object()) {
    const auto text = value.is_string() ? std::string{value.as_string()} : json::serialize(value);
    out += fmt::format("{}{}={}", out.empty() ? "" : "  ", std::string_view{key}, text);
  }
  return out;
}

Result<json::object> device_body(const std::string& verb, const std::vector<std::string>& words,
                                 std::string& name, bool dry_run) {
  json::object values;
  json::array points;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const auto left = word.substr(0, equals);
    const auto dot = left.find('.');
    const auto device = left.substr(0, dot);
    if (!name.empty() && name != device) return Error{Code::Invalid, "one device at a time"};
    name = device;
    if (verb == "read" && dot != std::string::npos) points.emplace_back(left.substr(dot + 1));
    if (verb == "write") {
      if (equals == std::string::npos || dot == std::string::npos) {
        return Error{Code::Invalid, fmt::format("\"{}\" is not DEVICE.POINT=VALUE", word)};
      }
      values[left.substr(dot + 1)] = word.substr(equals + 1);
    }
  }
  if (name.empty()) return Error{Code::Invalid, "name a device"};
  if (verb == "read") return json::object{{"points", points}};
  return json::object{{"values", values}, {"dry_run", dry_run}};
}

}  // namespace

int run_tap(const Call& call) {
  if (call.arguments.empty())
    return fail_with({Code::Invalid, "tap takes KIND/NAME, for example stream/pump-health"},
                     Input::Arguments);
  const auto slash = call.arguments[0].find('/');
  const auto* kind = config::find_kind(call.arguments[0].substr(0, slash));
  if (kind == nullptr || slash == std::string::npos) {
    return fail_with({Code::Invalid, "tap takes device/NAME or stream/NAME"}, Input::Arguments);
  }
  auto node = call.node();
  if (!node) return fail_with(node.error());
  const auto target = fmt::format("/api/v1/tap/{}/{}?where={}", kind->plural,
                                  url_encode(call.arguments[0].substr(slash + 1)),
                                  url_encode(call.value("--where")));
  const auto limit = config::parse_integer(call.value("--limit", "0"));
  if (!limit || *limit < 0)
    return fail_with({Code::Invalid, "--limit takes a number of rows"}, Input::Arguments);
  std::optional<Micros> span;
  if (call.has("--for")) {
    const auto given = config::parse_duration(call.value("--for"));
    if (!given) return fail_with(given.error(), Input::Arguments);
    span = *given;
  }
  std::int64_t shown = 0;
  const auto on_event = [&](const std::string& event, const std::string& data) {
    if (event == "row") {
      if (call.output() == "json")
        fmt::print("{}\n", data);
      else
        fmt::print("{}\n", row_text(json::parse(data)));
      std::fflush(stdout);
      ++shown;
    }
    return *limit == 0 || shown < *limit;
  };
  const auto done = (*node)->events(target, on_event, span);
  return done ? 0 : fail_with(done.error());
}

int run_logs(const Call& call) {
  constexpr std::string_view kLevels[] = {"error", "warning", "info", "debug"};
  const auto rank = [&](std::string_view level) {
    return std::find(std::begin(kLevels), std::end(kLevels), level) - std::begin(kLevels);
  };
  const auto least = call.value("--level", "debug");
  if (rank(least) == std::ssize(kLevels)) {
    return fail_with(
        {Code::Invalid, fmt::format("\"{}\" is not a level: error, warning, info, debug", least)},
        Input::Arguments);
  }
  auto node = call.node();
  if (!node) return fail_with(node.error());
  const auto done = (*node)->events(
      "/api/v1/events?topics=log", [&](const std::string& event, const std::string& data) {
        if (event != "log") return true;
        const auto line = json::parse(data);
        if (rank(text_at(line, "/level")) > rank(least)) return true;
        fmt::print("{}\n", call.output() == "json" ? data : row_text(line));
        std::fflush(stdout);
        return true;
      });
  return done ? 0 : fail_with(done.error());
}

int run_device(const Call& call) {
  const auto verb = call.arguments.empty() ? std::string{} : call.arguments[0];
  if (verb != "read" && verb != "write")
    return fail_with({Code::Invalid, "device takes `read N[.POINT]…` or `write N.POINT=V…`"},
                     Input::Arguments);
  std::string name;
  const std::vector<std::string> words(call.arguments.begin() + 1, call.arguments.end());
  const auto body = device_body(verb, words, name, call.has("--dry-run"));
  if (!body) return fail_with(body.error(), Input::Arguments);
  if (verb == "write" && !call.has("--yes") && !call.has("--dry-run") &&
      isatty(STDIN_FILENO) != 1) {
    return fail_with({Code::Invalid, "writing a device from a script needs -y"}, Input::Arguments);
  }
  auto node = call.node();
  if (!node) return fail_with(node.error());
  const auto reply = (*node)->call(
      "POST", fmt::format("/api/v1/devices/{}/{}", url_encode(name), verb), json::serialize(*body));
  if (!reply) return fail_with(reply.error());
  if (verb == "write") {
    fmt::print("{}\n", call.has("--dry-run") ? "would be written" : "written");
    return 0;
  }
  if (call.output() == "json") {
    fmt::print("{}\n", json::serialize(*reply));
    return 0;
  }
  Table table({"POINT", "VALUE", "QUALITY"});
  constexpr std::string_view kQualities[] = {"good", "uncertain", "substituted", "stale", "bad"};
  for (const auto& [point, value] : reply->as_object()) {
    const auto quality = value.at("status").to_number<std::size_t>();
    table.row({std::string{point}, text_at(value, "/value"),
               std::string{kQualities[std::min<std::size_t>(quality, 4)]}});
  }
  fmt::print("{}", table.text());
  return 0;
}

int run_model(const Call& call) {
  const auto verb = call.arguments.empty() ? std::string{"list"} : call.arguments[0];
  if (verb == "check" && call.arguments.size() == 2) return check_model(call);
  auto node = call.node();
  if (!node) return fail_with(node.error());
  if (verb == "list") {
    const auto index = (*node)->call("POST", "/v2/repository/index", "{}");
    if (!index) return fail_with(index.error());
    Table table({"NAME", "VERSION", "STATE", "REASON"});
    for (const auto& model : index->as_array()) {
      table.row({text_at(model, "/name"), text_at(model, "/version"), text_at(model, "/state"),
                 text_at(model, "/reason")});
    }
    fmt::print("{}", call.output() == "json" ? json::serialize(*index) + "\n" : table.text());
    return 0;
  }
  if ((verb != "load" && verb != "unload") || call.arguments.size() != 2) {
    return fail_with({Code::Invalid, "model takes list, load N, unload N or check PATH"},
                     Input::Arguments);
  }
  const auto done = (*node)->call(
      "POST", fmt::format("/v2/repository/models/{}/{}", url_encode(call.arguments[1]), verb),
      "{}");
  return done ? 0 : fail_with(done.error());
}

int run_ps(const Call& call) {
  auto node = call.node();
  if (!node) return fail_with(node.error());
  const auto parts = (*node)->get("/api/v1/parts");
  if (!parts) return fail_with(parts.error());
  if (call.output() == "json") {
    fmt::print("{}\n", json::serialize(*parts));
    return 0;
  }
  Table table({"KIND", "NAME", "STATE", "RATE", "DEVICE"});
  for (const auto& part : parts->at("items").as_array()) {
    table.row({text_at(part, "/kind"), text_at(part, "/name"), text_at(part, "/state"),
               text_at(part, "/rate"), text_at(part, "/device")});
  }
  fmt::print("{}", table.text());
  return 0;
}

}  // namespace infiniedge::app
