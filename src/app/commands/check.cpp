// SPDX-License-Identifier: Apache-2.0
// validate and explain: what needs no running node.
#include <fmt/format.h>

#include <algorithm>

#include "app/commands/command.hpp"
#include "app/commands/print.hpp"
#include "app/config/model_files.hpp"
#include "app/config/validate.hpp"
#include "app/exit_code.hpp"
#include "app/node/settings.hpp"
#include "app/parts.hpp"
#include "app/paths.hpp"
#include "app/reference/describe.hpp"
#include "base/suggest.hpp"

namespace infiniedge::app {
namespace {

bool skips(const Call& call, std::string_view step) {
  for (const auto& value : call.values("--skip")) {
    if (value.find(step) != std::string::npos) return true;
  }
  return false;
}

/// The model repository of the node that the files are for.
std::string repository_of(const Call& call) {
  const auto settings = Settings::from(call, RoleOfProcess::Node);
  return settings ? settings->models : std::string{};
}

void print_field(const config::FieldSpec& field) {
  const auto bounds = bounds_text(field.min, field.max);
  fmt::print("  {}{:<14} {}{}{}\n", field.required ? "*" : " ", field.name, type_text(field),
             bounds.empty() ? "" : ", ", bounds);
  fmt::print("                   {}{}{}\n", field.doc,
             field.fallback.empty() ? "" : fmt::format(" Default: {}.", field.fallback),
             field.later ? " (not in this version yet)" : "");
}

int explain_fields(std::span<const config::FieldSpec> fields, std::string path,
                   std::string_view doc) {
  fmt::print("{}\n\n{}\n\n", path, doc);
  for (const auto& field : fields) print_field(field);
  fmt::print("\n* required\n");
  return 0;
}

void print_options(std::string_view title, std::span<const Option> options) {
  if (options.empty()) return;
  fmt::print("\n{}:\n", title);
  for (const auto& option : options) {
    const auto bounds = bounds_text(option.min, option.max);
    fmt::print("  {}{:<14} {}{}{}\n", option.required ? "*" : " ", option.name, type_text(option),
               bounds.empty() ? "" : ", ", bounds);
    fmt::print("                   {}{}\n", option.doc,
               option.fallback.empty() ? "" : fmt::format(" Default: {}.", option.fallback));
  }
}

int explain_connector(const Spec& spec) {
  fmt::print("connector {}: {}\naddress: {}\n", spec.name, spec.summary, spec.address);
  print_options("options", spec.options);
  print_options("options of a point", spec.point_options);
  return 0;
}

int explain_backend(const Spec& spec) {
  fmt::print("backend {}: {}\nfile: {}\n", spec.name, spec.summary, spec.address);
  if (!spec.options.empty()) fmt::print("\nparameters of a model:\n");
  for (const auto& option : spec.options) {
    fmt::print("  {:<25} {}{}\n", option.name, option.doc,
               option.fallback.empty() ? "" : fmt::format(" Default: {}.", option.fallback));
  }
  return 0;
}

int explain_path(const std::string& path) {
  const auto first = path.substr(0, path.find('.'));
  const BuiltinParts parts;
  if (const auto* connector = parts.connector(first)) return explain_connector(*connector);
  for (const auto* backend : backends().specs()) {
    if (backend->name == first) return explain_backend(*backend);
  }
  const auto* kind = config::find_kind(first);
  if (kind == nullptr) {
    auto names = config::kind_names();
    const auto connectors = parts.connectors();
    names.insert(names.end(), connectors.begin(), connectors.end());
    for (const auto* backend : backends().specs()) names.emplace_back(backend->name);
    const auto near = base::suggest(first, names);
    return fail_with(
        {Code::NotFound,
         fmt::format("nothing is called \"{}\"{}", first,
                     near ? fmt::format(": did you mean \"{}\"?", *near) : std::string{})});
  }
  auto fields = kind->fields;
  std::string_view doc = kind->doc, rest = path;
  rest.remove_prefix(std::min(rest.size(), first.size() + 1));
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    const auto at = std::find_if(fields.begin(), fields.end(),
                                 [&](const auto& field) { return field.name == word; });
    if (at == fields.end()) {
      std::vector<std::string> names;
      for (const auto& field : fields) names.emplace_back(field.name);
      const auto near = base::suggest(word, names);
      return fail_with(
          {Code::NotFound,
           fmt::format("{} has no field \"{}\"{}", kind->kind, word,
                       near ? fmt::format(": did you mean \"{}\"?", *near) : std::string{})});
    }
    if (at->fields.empty()) {
      print_field(*at);
      return 0;
    }
    fields = at->fields;
    doc = at->doc;
  }
  return explain_fields(fields, path, doc);
}

}  // namespace

int run_validate(const Call& call) {
  auto paths = call.arguments;
  const auto files = call.values("--file");
  paths.insert(paths.end(), files.begin(), files.end());
  if (paths.empty())
    return fail_with({Code::Invalid, "validate needs a file or directory"}, Input::Arguments);
  auto loaded = config::load(paths, config::process_environment());
  const config::Secrets secrets({Paths::defaults().configuration + "/secrets", "secrets"});
  const BuiltinParts parts;
  config::ModelFiles models(repository_of(call));
  const config::ValidateOptions options{.topology = !skips(call, "topology"),
                                        .environment = !skips(call, "environment"),
                                        .models = &models};
  const auto validated = config::validate(std::move(loaded), parts, secrets, options);
  const auto& diagnostics = validated.loaded.diagnostics;
  if (call.output() == "json")
    fmt::print("{}\n", config::report_json(diagnostics));
  else
    fmt::print(stderr, "{}", config::report(validated.loaded));
  const bool bad = !validated.good() || (call.has("--strict") && !diagnostics.empty());
  if (bad) return exit_code(Code::Invalid, Input::Configuration);
  if (!call.has("--quiet") && call.output() != "json")
    fmt::print("{} resources are valid\n", validated.loaded.resources.size());
  return 0;
}

int run_explain(const Call& call) {
  if (call.arguments.empty()) {
    for (const auto& kind : config::kinds()) {
      fmt::print("{:<12} {}{}\n", kind.kind, kind.doc,
                 kind.later ? " (not in this version yet)" : "");
    }
    fmt::print("\nbackends of models:\n");
    for (const auto* spec : backends().specs())
      fmt::print("{:<12} {}\n", spec->name, spec->summary);
    return 0;
  }
  const auto& what = call.arguments[0];
  const auto slash = what.find('/');
  if (slash == std::string::npos) return explain_path(what);
  const auto* kind = config::find_kind(what.substr(0, slash));
  if (kind == nullptr)
    return fail_with({Code::Invalid, fmt::format("unknown kind \"{}\"", what.substr(0, slash))},
                     Input::Arguments);
  auto node = call.node();
  if (!node) return fail_with(node.error());
  const auto reply =
      (*node)->get(fmt::format("/api/v1/explain/{}/{}", kind->plural, what.substr(slash + 1)));
  if (!reply) return fail_with(reply.error());
  fmt::print("{}", as_yaml(*reply));
  return 0;
}

}  // namespace infiniedge::app
