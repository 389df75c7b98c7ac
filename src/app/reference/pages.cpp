// SPDX-License-Identifier: Apache-2.0
// The reference pages of resources, connectors and settings.
#include "app/reference/pages.hpp"

#include <fmt/format.h>

#include "app/config/schema.hpp"
#include "app/node/settings.hpp"
#include "app/parts.hpp"
#include "app/reference/describe.hpp"

namespace infiniedge::app {
namespace {

constexpr std::string_view kHead =
    "<!-- Written by `infiniedge reference docs/reference`; change the tables in the code. -->\n";
constexpr std::string_view kFields = "| Field | Type | Default | |\n|---|---|---|---|\n";

std::string code(std::string_view text) {
  return text.empty() ? std::string{} : fmt::format("`{}`", cell(text));
}

std::string row(std::string_view name, const std::string& type, std::string_view fallback,
                bool required, const std::string& doc) {
  return fmt::format("| `{}` | {} | {} | {} |\n", name, cell(type),
                     required ? "required" : code(fallback), cell(doc));
}

std::string doc_of(std::string_view doc, double min, double max) {
  const auto bounds = bounds_text(min, max);
  return bounds.empty() ? std::string{doc} : fmt::format("{} {}.", doc, bounds);
}

/// Fields in the order of the table; those of an object follow under its name with a dot.
void add_fields(std::string& out, std::span<const config::FieldSpec> fields,
                const std::string& prefix) {
  for (const auto& field : fields) {
    const auto name = prefix + std::string{field.name} + (field.list ? "[]" : "");
    auto doc = doc_of(field.doc, field.min, field.max);
    if (field.later) doc += " Not in this version yet: refused.";
    out += row(name, type_text(field), field.fallback, field.required, doc);
    if (!field.later) add_fields(out, field.fields, name + ".");
  }
}

void add_options(std::string& out, std::string_view title, std::span<const Option> options) {
  if (options.empty()) return;
  out += fmt::format("\n{}:\n\n{}", title, kFields);
  for (const auto& option : options) {
    out += row(option.name, type_text(option), option.fallback, option.required,
               doc_of(option.doc, option.min, option.max));
  }
}

}  // namespace

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out.push_back('\\');
    out.push_back(c == '\n' ? ' ' : c);
  }
  return out;
}

Page resources_page() {
  std::string out{kHead};
  out +=
      "# Resources\n\nEvery field of every kind. Durations are written like `250ms`, `1m30s`, "
      "`7d`; sizes like `64Ki`, `2G`; a secret is `{secretRef: {name, key}}`. `infiniedge explain "
      "KIND.FIELD` prints the same.\n";
  for (const auto& kind : config::kinds()) {
    out += fmt::format("\n## {}\n\n`{}:` {}\n", kind.kind, kind.plural, kind.doc);
    if (kind.later) {
      out += "\nNot in this version yet.\n";
      continue;
    }
    out += fmt::format("\n{}", kFields);
    add_fields(out, kind.fields, "");
  }
  return {"resources.md", std::move(out)};
}

Page connectors_page() {
  std::string out{kHead};
  out +=
      "# Connectors\n\nWhat a Device's `connector`, `address`, `options` and its points' `options` "
      "may be. `infiniedge explain NAME` prints the same.\n";
  for (const auto* spec : connectors().specs()) {
    out +=
        fmt::format("\n## {}\n\n{}\n\nAddress: `{}`\n", spec->name, spec->summary, spec->address);
    add_options(out, "`options` of the device", spec->options);
    add_options(out, "`options` of a point", spec->point_options);
  }
  return {"connectors.md", std::move(out)};
}

Page settings_page() {
  std::string out{kHead};
  out +=
      "# Settings\n\nProperties of a process: flag `--a.b` over environment `INFINIEDGE_A_B` over "
      "`node.yaml` in the configuration directory over the default. An unknown name is an "
      "error.\n\n| Setting | Default | |\n|---|---|---|\n";
  for (const auto& setting : settings_table())
    out += fmt::format("| `{}` | {} | {} |\n", setting.name, cell(setting.fallback),
                       cell(setting.doc));
  return {"settings.md", std::move(out)};
}

std::vector<Page> reference_pages() {
  return {resources_page(), connectors_page(), settings_page(), commands_page()};
}

}  // namespace infiniedge::app
