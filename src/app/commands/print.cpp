// SPDX-License-Identifier: Apache-2.0
#include "app/commands/print.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/config/canonical.hpp"

namespace infiniedge::app {
namespace {

namespace json = boost::json;

std::string scalar(const json::value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string{value.as_string()};
  if (value.is_double()) return fmt::format("{:.4g}", value.as_double());
  return json::serialize(value);
}

bool is_leaf(const json::value& value) {
  return !(value.is_object() && !value.as_object().empty()) &&
         !(value.is_array() && !value.as_array().empty());
}

constexpr const char* kChanges[] = {"added", "changed", "removed", "reset", "warnings"};

}  // namespace

std::string text_at(const json::value& value, const char* pointer) {
  boost::system::error_code error;
  const auto* found = value.find_pointer(pointer, error);
  return found == nullptr || error ? "" : scalar(*found);
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain)
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

json::value ready_condition(const json::value& resource) {
  boost::system::error_code error;
  const auto* conditions = resource.find_pointer("/status/conditions", error);
  if (conditions == nullptr || !conditions->is_array()) return nullptr;
  for (const auto& condition : conditions->as_array()) {
    if (text_at(condition, "/type") == "Ready") return condition;
  }
  return nullptr;
}

std::string ready_text(const json::value& resource) {
  const auto condition = ready_condition(resource);
  const auto status = text_at(condition, "/status");
  const auto reason = text_at(condition, "/reason");
  return status == "True" || reason.empty() ? status : fmt::format("{} ({})", status, reason);
}

std::string as_yaml(const json::value& value, int indent) {
  const std::string pad(static_cast<std::size_t>(indent), ' ');
  std::string out;
  if (value.is_object()) {
    for (const auto& [key, item] : value.as_object()) {
      const std::string_view name{key};
      if (is_leaf(item))
        out += fmt::format("{}{}: {}\n", pad, name, scalar(item));
      else
        out += fmt::format("{}{}:\n{}", pad, name, as_yaml(item, indent + 2));
    }
  } else if (value.is_array()) {
    for (const auto& item : value.as_array()) {
      if (is_leaf(item)) {
        out += fmt::format("{}- {}\n", pad, scalar(item));
      } else {
        auto text = as_yaml(item, indent + 2);
        text.replace(static_cast<std::size_t>(indent), 2, "- ");
        out += text;
      }
    }
  }
  return out;
}

std::string full_body(const std::vector<config::Resource>& resources) {
  std::string out;
  for (const auto& resource : resources) out += config::resource_json(resource, 0) + "\n---\n";
  return out;
}

std::size_t change_count(const json::value& reply) {
  std::size_t n = 0;
  for (const char* list : {"added", "changed", "removed"}) {
    const auto* found = reply.is_object() ? reply.as_object().if_contains(list) : nullptr;
    if (found != nullptr && found->is_array()) n += found->as_array().size();
  }
  return n;
}

std::string change_text(const json::value& reply, bool dry_run) {
  std::string out;
  for (const char* list : kChanges) {
    const auto* found = reply.is_object() ? reply.as_object().if_contains(list) : nullptr;
    if (found == nullptr || !found->is_array()) continue;
    for (const auto& item : found->as_array()) {
      out += fmt::format("{}{} {}\n", dry_run ? "would be " : "", list, scalar(item));
    }
  }
  const auto kept = text_at(reply, "/kept");
  out +=
      fmt::format("revision {}, {} kept\n", text_at(reply, "/revision"), kept.empty() ? "0" : kept);
  return out;
}

}  // namespace infiniedge::app
