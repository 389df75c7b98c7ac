// SPDX-License-Identifier: Apache-2.0
#include "app/config/resource.hpp"

#include <fmt/format.h>

#include "base/suggest.hpp"

namespace infiniedge::app::config {
namespace {

using base::yaml::Mark;
using base::yaml::Node;

constexpr std::string_view kApiVersion = "infiniedge.io/v1";

/// [a-z]([-a-z0-9]*[a-z0-9])?, at most 63 characters, no `--`.
bool valid_name(std::string_view name) {
  if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z' || name.back() == '-')
    return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (!letter || (c == '-' && i > 0 && name[i - 1] == '-')) return false;
  }
  return true;
}

std::string nearest_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper)
      out.push_back(static_cast<char>(c - 'A' + 'a'));
    else if (keep)
      out.push_back(c);
    else if (!out.empty() && out.back() != '-')
      out.push_back('-');
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return valid_name(out) ? out : "";
}

void read_map(const Node* node, std::map<std::string, std::string>& out) {
  if (node == nullptr) return;
  for (const auto& entry : node->entries) out[entry.key] = entry.value.text;
}

class EnvelopeReader {
 public:
  EnvelopeReader(const std::string& file, Loaded& out) : file_(file), out_(out) {}

  void read(const Node& document) {
    if (document.is_null()) return;
    if (document.kind != Node::Kind::Mapping) {
      fault(document.mark, "wrong-type",
            "a document is a mapping that starts with `infiniedge: v1`");
    } else if (document.find("infiniedge") != nullptr) {
      read_short(document);
    } else if (document.find("apiVersion") != nullptr || document.find("kind") != nullptr) {
      read_full(document);
    } else {
      missing_header(document);
    }
  }

 private:
  void fault(const Mark& mark, std::string id, std::string message, std::string suggestion = {}) {
    add(out_.diagnostics, file_, mark, std::move(id), std::move(message), std::move(suggestion));
  }

  void missing_header(const Node& document) {
    for (const auto& entry : document.entries) {
      if (const auto near = base::suggest(entry.key, {"infiniedge", "apiVersion"})) {
        fault(entry.mark, "unknown-field", fmt::format("unknown field \"{}\"", entry.key), *near);
        return;
      }
    }
    fault(document.mark, "missing-field",
          "the document lacks `infiniedge: v1` (or apiVersion and kind)");
  }

  void read_short(const Node& document) {
    const auto& version = *document.find("infiniedge");
    if (version.text != "v1") {
      fault(version.mark, "unknown-value", fmt::format("version \"{}\" is not known", version.text),
            "v1");
    }
    std::string space = "default";
    for (const auto& entry : document.entries) {
      if (entry.key == "infiniedge") continue;
      if (entry.key == "namespace")
        space = entry.value.text;
      else
        read_plural(entry, space);
    }
  }

  void read_plural(const Node::Entry& entry, const std::string& space) {
    const auto* kind = find_kind(entry.key);
    if (kind == nullptr || entry.key != kind->plural) {
      auto near = kind != nullptr ? std::optional<std::string>{kind->plural}
                                  : base::suggest(entry.key, kind_names());
      fault(entry.mark, "unknown-field", fmt::format("unknown kind \"{}\"", entry.key),
            near.value_or(""));
      return;
    }
    if (entry.value.is_null()) return;
    if (entry.value.kind != Node::Kind::Mapping) {
      fault(entry.value.mark, "wrong-type", fmt::format("{} is a mapping of names", entry.key));
      return;
    }
    for (const auto& named : entry.value.entries) {
      Resource resource{.kind = kind,
                        .name = named.key,
                        .space = space,
                        .spec = named.value,
                        .file = file_,
                        .mark = named.mark};
      take_metadata(resource);
      accept(std::move(resource));
    }
  }

  /// In the short spelling labels and annotations stand beside the spec.
  static void take_metadata(Resource& resource) {
    read_map(resource.spec.find("annotations"), resource.annotations);
    read_map(resource.spec.find("labels"), resource.labels);
    std::erase_if(resource.spec.entries, [](const auto& entry) {
      return entry.key == "annotations" || entry.key == "labels";
    });
  }

  void read_full(const Node& document) {
    const auto* version = document.find("apiVersion");
    const auto* kind_node = document.find("kind");
    const auto* metadata = document.find("metadata");
    if (version == nullptr || kind_node == nullptr || metadata == nullptr ||
        metadata->find("name") == nullptr) {
      fault(document.mark, "missing-field",
            "a resource needs apiVersion, kind, metadata.name and spec");
      return;
    }
    if (version->text != kApiVersion) {
      fault(version->mark, "unknown-value",
            fmt::format("apiVersion \"{}\" is not known", version->text), std::string{kApiVersion});
      return;
    }
    const auto* kind = find_kind(kind_node->text);
    if (kind == nullptr || kind->kind != kind_node->text) {
      unknown_kind(*kind_node, kind);
      return;
    }
    check_top_fields(document);
    const auto* name = metadata->find("name");
    Resource resource{.kind = kind, .name = name->text, .file = file_, .mark = name->mark};
    if (const auto* space = metadata->find("namespace")) resource.space = space->text;
    read_map(metadata->find("labels"), resource.labels);
    read_map(metadata->find("annotations"), resource.annotations);
    if (const auto* spec = document.find("spec")) resource.spec = *spec;
    accept(std::move(resource));
  }

  void unknown_kind(const Node& node, const KindSpec* near_kind) {
    std::vector<std::string> names;
    for (const auto& kind : kinds()) names.emplace_back(kind.kind);
    auto near = near_kind != nullptr ? std::optional<std::string>{near_kind->kind}
                                     : base::suggest(node.text, names);
    fault(node.mark, "unknown-value", fmt::format("unknown kind \"{}\"", node.text),
          near.value_or(""));
  }

  void check_top_fields(const Node& document) {
    static const std::vector<std::string> kTop = {"apiVersion", "kind", "metadata", "spec",
                                                  "status"};
    for (const auto& entry : document.entries) {
      if (std::find(kTop.begin(), kTop.end(), entry.key) == kTop.end()) {
        fault(entry.mark, "unknown-field",
              fmt::format("unknown field \"{}\" beside spec", entry.key),
              base::suggest(entry.key, kTop).value_or(""));
      }
    }
  }

  void accept(Resource resource) {
    if (resource.kind->later) {
      fault(resource.mark, "unsupported",
            fmt::format("kind {} is not in this version yet", resource.kind->kind));
      return;
    }
    if (!valid_name(resource.name)) {
      fault(resource.mark, "out-of-range",
            fmt::format("\"{}\" is not a name: use a-z, 0-9 and single '-', at most 63",
                        resource.name),
            nearest_name(resource.name));
      return;
    }
    for (const auto& other : out_.resources) {
      if (other.kind == resource.kind && other.name == resource.name &&
          other.space == resource.space) {
        fault(resource.mark, "duplicate-resource",
              fmt::format("{} is already at {}:{}", resource.id(), other.file, other.mark.line));
        return;
      }
    }
    out_.resources.push_back(std::move(resource));
  }

  const std::string& file_;
  Loaded& out_;
};

}  // namespace

base::Diagnostic& add(base::Diagnostics& out, const std::string& file, const Mark& mark,
                      std::string id, std::string message, std::string suggestion) {
  return out.emplace_back(base::Diagnostic{.file = file,
                                           .line = mark.line,
                                           .column = mark.column,
                                           .end = mark.end,
                                           .id = std::move(id),
                                           .message = std::move(message),
                                           .suggestion = std::move(suggestion)});
}

void read_envelopes(const std::vector<Node>& documents, const std::string& file, Loaded& out) {
  EnvelopeReader reader(file, out);
  for (const auto& document : documents) reader.read(document);
}

}  // namespace infiniedge::app::config
