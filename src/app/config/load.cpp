// SPDX-License-Identifier: Apache-2.0
#include "app/config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace infiniedge::app::config {
namespace {

namespace fs = std::filesystem;
using base::yaml::Mark;
using base::yaml::Node;

bool is_resource_file(const fs::path& path) {
  const auto name = path.filename().string();
  if (name.ends_with(".test.yaml") || name.starts_with('.')) return false;
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

/// The files behind the arguments, in byte order within a directory.
std::vector<std::string> expand(const std::vector<std::string>& paths, Loaded& out) {
  std::vector<std::string> files;
  for (const auto& path : paths) {
    std::error_code error;
    if (path == "-" || !fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (is_resource_file(entry.path())) found.push_back(entry.path().string());
    }
    if (error)
      add(out.diagnostics, path, {}, "syntax", "cannot read the directory: " + error.message());
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

std::optional<std::string> read_file(const std::string& path) {
  if (path == "-") return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

bool name_character(char c, bool first) {
  const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  return letter || (!first && c >= '0' && c <= '9');
}

/// Replaces ${…} in one scalar. After parsing: a value cannot change the document's shape.
class Substitution {
 public:
  Substitution(const std::string& file, const Environment& environment, base::Diagnostics& out)
      : file_(file), environment_(environment), out_(out) {}

  void apply(Node& node) {
    if (node.kind == Node::Kind::Scalar && node.text.find('$') != std::string::npos) {
      node.text = replaced(node.text, node.mark);
    }
    for (auto& item : node.items) apply(item);
    for (auto& entry : node.entries) {
      const bool fixed = entry.key == "kind" || entry.key == "metadata";
      if (!fixed) apply(entry.value);
    }
  }

 private:
  std::string replaced(const std::string& text, const Mark& mark) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '$' || i + 1 >= text.size()) {
        out.push_back(text[i]);
      } else if (text[i + 1] == '$') {
        out.push_back('$');
        ++i;
      } else if (text[i + 1] == '{') {
        i = variable(text, i, mark, out);
      } else {
        out.push_back('$');
      }
    }
    return out;
  }

  /// Reads the reference at `from`, appends its value; returns the index of its last character.
  std::size_t variable(const std::string& text, std::size_t from, const Mark& mark,
                       std::string& out) {
    const auto close = text.find('}', from);
    std::size_t end = from + 2;
    while (end < text.size() && name_character(text[end], end == from + 2)) ++end;
    const auto name = text.substr(from + 2, end - from - 2);
    if (close == std::string::npos || name.empty()) {
      add(out_, file_, mark, "unresolved-env",
          "`${` starts a variable: write ${NAME}, or $$ for a dollar sign");
      out.append(text, from, 2);
      return from + 1;
    }
    const auto rest = text.substr(end, close - end);
    const auto value = environment_(name);
    if (value)
      out += *value;
    else if (rest.starts_with(":-"))
      out += rest.substr(2);
    else
      unresolved(name, rest, mark);
    return close;
  }

  void unresolved(const std::string& name, const std::string& rest, const Mark& mark) {
    const auto message =
        rest.starts_with(":?")
            ? fmt::format("{}: {}", name, rest.substr(2))
            : fmt::format("environment variable {} is not set, and ${{{}}} has no default", name,
                          name);
    add(out_, file_, mark, "unresolved-env", message).help =
        fmt::format("write ${{{}:-default}}", name);
  }

  const std::string& file_;
  const Environment& environment_;
  base::Diagnostics& out_;
};

/// `file:` paths start at the file that names them; once read, a resource may travel.
void make_absolute(Resource& resource) {
  for (auto& entry : resource.spec.entries) {
    const bool path = entry.key == "source" || entry.key == "address";
    if (!path || !entry.value.text.starts_with("file:")) continue;
    std::error_code error;
    const auto folder = fs::absolute(resource.file, error).parent_path();
    const auto given = fs::path(entry.value.text.substr(5));
    entry.value.text = "file:" + (folder / given).lexically_normal().string();
  }
}

void load_text(std::string text, const std::string& file, const Environment* environment,
               Loaded& out) {
  auto parsed = base::yaml::parse(text, file);
  out.diagnostics.insert(out.diagnostics.end(), parsed.diagnostics.begin(),
                         parsed.diagnostics.end());
  if (environment != nullptr) {
    Substitution substitution(file, *environment, out.diagnostics);
    for (auto& document : parsed.documents) substitution.apply(document);
  } else if (text.find("${") != std::string::npos) {
    add(out.diagnostics, file, {}, "unresolved-env",
        "`${` is only replaced in files that the node itself reads");
  }
  const auto before = out.resources.size();
  read_envelopes(parsed.documents, file, out);
  if (environment != nullptr) {
    for (auto i = before; i < out.resources.size(); ++i) make_absolute(out.resources[i]);
  }
  out.sources[file] = std::move(text);
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string{value};
  };
}

Loaded load(const std::vector<std::string>& paths, const Environment& environment) {
  Loaded out;
  for (const auto& file : expand(paths, out)) {
    auto text = read_file(file);
    if (text)
      load_text(std::move(*text), file == "-" ? "<stdin>" : file, &environment, out);
    else
      add(out.diagnostics, file, {}, "unknown-reference", "the file cannot be read");
  }
  return out;
}

Loaded load_body(const std::string& text, const std::string& name) {
  Loaded out;
  load_text(text, name, nullptr, out);
  return out;
}

}  // namespace infiniedge::app::config
