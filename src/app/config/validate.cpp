// SPDX-License-Identifier: Apache-2.0
#include "app/config/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <tuple>

#include "app/config/check.hpp"
#include "app/config/model_files.hpp"

namespace infiniedge::app::config {
namespace {

constexpr std::size_t kShown = 20;

bool has_errors(const base::Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const auto& d) { return d.severity == base::Severity::Error; });
}

/// Files that resources name must be there before anything starts.
void check_files(const std::vector<Resource>& resources, const Site& site, base::Diagnostics& out) {
  for (const auto& model : site.models) {
    std::error_code error;
    if (model.path.empty() || std::filesystem::exists(model.path, error)) continue;
    for (const auto& resource : resources) {
      if (resource.kind->kind == "Model" && resource.name == model.name) {
        add(out, resource.file, resource.spec.find("source")->mark, "unknown-reference",
            fmt::format("model file {} does not exist", model.path));
      }
    }
  }
}

}  // namespace

bool Validated::good() const { return !has_errors(loaded.diagnostics); }

Validated validate(Loaded loaded, const Parts& parts, const Secrets& secrets,
                   const ValidateOptions& options) {
  Validated out{.loaded = std::move(loaded), .site = {}};
  auto& diagnostics = out.loaded.diagnostics;
  check_schema(out.loaded.resources, parts, diagnostics);
  if (!has_errors(diagnostics)) {
    base::Diagnostics environment;
    out.site = to_site(out.loaded.resources, parts, secrets, environment);
    for (auto& found : environment) {
      const bool only_here = found.id == "unknown-reference";
      if (!only_here || options.environment) diagnostics.push_back(std::move(found));
    }
  }
  const bool load = options.models != nullptr && options.environment;
  if (load && !has_errors(diagnostics))
    options.models->load(out.loaded.resources, out.site, diagnostics);
  else if (options.environment && !has_errors(diagnostics))
    check_files(out.loaded.resources, out.site, diagnostics);
  if (options.topology && !has_errors(diagnostics)) {
    check_topology(out.loaded.resources, out.site, load ? options.models : nullptr, diagnostics);
  }
  std::sort(diagnostics.begin(), diagnostics.end(), [](const auto& a, const auto& b) {
    return std::tie(a.file, a.line, a.column, a.message) <
           std::tie(b.file, b.line, b.column, b.message);
  });
  return out;
}

std::string report(const Loaded& loaded) {
  std::string out;
  std::size_t shown = 0;
  for (const auto& diagnostic : loaded.diagnostics) {
    if (shown++ == kShown) break;
    const auto source = loaded.sources.find(diagnostic.file);
    out += base::format(diagnostic, source == loaded.sources.end() ? "" : source->second);
  }
  if (loaded.diagnostics.size() > kShown)
    out += fmt::format("… and {} more\n", loaded.diagnostics.size() - kShown);
  return out;
}

std::string report_json(const base::Diagnostics& diagnostics) {
  boost::json::array out;
  for (const auto& d : diagnostics) {
    out.push_back({{"file", d.file},
                   {"line", d.line},
                   {"column", d.column},
                   {"end", d.end},
                   {"severity", d.severity == base::Severity::Error ? "error" : "warning"},
                   {"id", d.id},
                   {"message", d.message},
                   {"suggestion", d.suggestion},
                   {"help", d.help}});
  }
  return boost::json::serialize(out);
}

}  // namespace infiniedge::app::config
