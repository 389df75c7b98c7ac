// SPDX-License-Identifier: Apache-2.0
#include "app/config/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "app/config/scalar.hpp"
#include "base/suggest.hpp"

namespace infiniedge::app::config {
namespace {

using base::yaml::Mark;
using base::yaml::Node;

std::string join(const std::vector<std::string>& names, std::size_t most = 8) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > most ? out + ", …" : out;
}

/// "act[].alarm" if a field of this fold stands somewhere below `fields`.
std::optional<std::string> find_elsewhere(std::span<const FieldSpec> fields, std::string_view name,
                                          const std::string& path) {
  for (const auto& field : fields) {
    const auto here =
        path + (path.empty() ? "" : ".") + std::string{field.name} + (field.list ? "[]" : "");
    for (const auto& below : field.fields) {
      if (base::fold(below.name) == base::fold(name)) return here;
    }
    if (auto deeper = find_elsewhere(field.fields, name, here)) return deeper;
  }
  return std::nullopt;
}

/// Words that YAML 1.1 (kubectl) reads as something else than we do.
bool yaml11_trap(const Node& node) {
  static const std::vector<std::string> kWords = {"yes", "no", "on", "off", "y", "n"};
  if (!node.plain || node.text.empty()) return false;
  if (std::find(kWords.begin(), kWords.end(), base::fold(node.text)) != kWords.end() &&
      base::fold(node.text).size() == node.text.size()) {
    return true;
  }
  const auto digits = [](std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const auto colon = node.text.find(':');
  if (colon != std::string::npos) {
    return digits(std::string_view(node.text).substr(0, colon)) &&
           digits(std::string_view(node.text).substr(colon + 1));
  }
  return node.text.size() > 1 && node.text[0] == '0' && digits(node.text);
}

class Checker {
 public:
  Checker(const Resource& resource, const Parts& parts, base::Diagnostics& out)
      : resource_(resource), parts_(parts), out_(out) {}

  void run() {
    if (const auto* connector = resource_.spec.find("connector"))
      connector_ = parts_.connector(connector->text);
    if (resource_.spec.kind != Node::Kind::Mapping) {
      fault(resource_.mark, "missing-field", fmt::format("{} has no spec", resource_.id()));
      return;
    }
    mapping(resource_.spec, resource_.kind->fields, resource_.mark, resource_.id());
    if (resource_.kind->kind == "Stream") check_acts();
  }

 private:
  base::Diagnostic& fault(const Mark& mark, std::string id, std::string message,
                          std::string suggestion = {}) {
    auto& added =
        add(out_, resource_.file, mark, std::move(id), std::move(message), std::move(suggestion));
    added.help = fmt::format("infiniedge explain {}", base::fold(resource_.kind->kind));
    return added;
  }

  void mapping(const Node& node, std::span<const FieldSpec> fields, const Mark& owner,
               const std::string& where) {
    for (const auto& entry : node.entries) {
      const auto* field = find(fields, entry.key);
      if (field == nullptr)
        unknown_field(entry, node, fields, where);
      else if (field->later)
        later(entry, *field);
      else if (!(entry.value.is_null() && !field->required))
        check(entry, *field, where);
    }
    for (const auto& field : fields) {
      const bool misspelt = meant_.contains(field.name);
      if (field.required && !misspelt && node.find(field.name) == nullptr) {
        fault(owner, "missing-field", fmt::format("{} lacks the field \"{}\"", where, field.name));
      }
    }
  }

  static const FieldSpec* find(std::span<const FieldSpec> fields, std::string_view name) {
    const auto at = std::find_if(fields.begin(), fields.end(),
                                 [&](const FieldSpec& f) { return f.name == name; });
    return at == fields.end() ? nullptr : &*at;
  }

  void later(const Node::Entry& entry, const FieldSpec& field) {
    fault(entry.mark, "unsupported",
          fmt::format("\"{}\" is not in this version yet; remove it", field.name));
  }

  void unknown_field(const Node::Entry& entry, const Node& node, std::span<const FieldSpec> fields,
                     const std::string& where) {
    std::vector<base::Candidate> candidates;
    std::vector<std::string> names;
    for (const auto& field : fields) {
      names.emplace_back(field.name);
      const bool present = node.find(field.name) != nullptr;
      if (!present) {
        candidates.push_back(
            {.name = field.name, .aliases = field.aliases, .required_and_missing = field.required});
      }
    }
    auto message = fmt::format("unknown field \"{}\" in {}", entry.key, where);
    if (const auto near = base::suggest(entry.key, candidates)) {
      meant_.insert(*near);
      fault(entry.mark, "unknown-field", message, *near);
    } else if (const auto elsewhere = find_elsewhere(resource_.kind->fields, entry.key, "")) {
      fault(entry.mark, "unknown-field",
            fmt::format("{}: \"{}\" belongs under {}", message, entry.key, *elsewhere));
    } else {
      fault(entry.mark, "unknown-field", fmt::format("{}; it has {}", message, join(names)));
    }
  }

  void check(const Node::Entry& entry, const FieldSpec& field, const std::string& where) {
    const auto label = fmt::format("{} of {}", field.name, where);
    if (!field.list) {
      value(entry.value, field, entry.mark, label);
      return;
    }
    if (entry.value.kind != Node::Kind::Sequence) {
      fault(entry.value.mark, "wrong-type",
            fmt::format("{} is a list: write `- …` or [ … ]", label));
      return;
    }
    std::size_t index = 0;
    for (const auto& item : entry.value.items) {
      const auto* name = item.find("name");
      const auto item_label = name != nullptr ? fmt::format("{} {}", field.name, name->text)
                                              : fmt::format("{}[{}]", field.name, index);
      value(item, field, item.mark, fmt::format("{} of {}", item_label, where));
      ++index;
    }
  }

  void value(const Node& node, const FieldSpec& field, const Mark& owner,
             const std::string& label) {
    switch (field.type) {
      case FieldType::Object:
        return object(node, field, owner, label);
      case FieldType::Options:
        return options(node, connector_ ? connector_->options : std::span<const Option>{}, label);
      case FieldType::PointOptions:
        return options(node, connector_ ? connector_->point_options : std::span<const Option>{},
                       label);
      case FieldType::Secret:
        return secret(node, label);
      case FieldType::Range:
        return range(node, label);
      case FieldType::Map:
        if (node.kind != Node::Kind::Mapping)
          fault(node.mark, "wrong-type", label + " is a mapping");
        return;
      case FieldType::Any:
        return;
      default:
        return scalar(node, field, label);
    }
  }

  void object(const Node& node, const FieldSpec& field, const Mark& owner,
              const std::string& label) {
    if (node.kind != Node::Kind::Mapping) {
      fault(node.mark, "wrong-type", fmt::format("{} is a mapping", label));
      return;
    }
    mapping(node, field.fields, owner, label);
  }

  void scalar(const Node& node, const FieldSpec& field, const std::string& label) {
    if (node.kind != Node::Kind::Scalar) {
      fault(node.mark, "wrong-type", fmt::format("{} is a single value", label));
      return;
    }
    if (yaml11_trap(node) && field.type != FieldType::Bool) {
      fault(node.mark, "yaml11",
            fmt::format("other YAML readers take {} for something else: write \"{}\"", node.text,
                        node.text))
          .severity = base::Severity::Warning;
    }
    switch (field.type) {
      case FieldType::Bool:
        return boolean(node, label);
      case FieldType::Integer:
      case FieldType::Number:
        return number(node, field, label);
      case FieldType::Duration:
        return duration(node, label);
      case FieldType::ByteSize:
        if (const auto size = parse_bytes(node.text); !size)
          fault(node.mark, "bad-unit", size.error().message());
        return;
      case FieldType::Enum:
        return enumerator(node, field, label);
      default:
        if (node.text.empty()) fault(node.mark, "wrong-type", label + " is empty");
    }
  }

  void boolean(const Node& node, const std::string& label) {
    if (parse_bool(node.text)) return;
    const auto folded = base::fold(node.text);
    const bool yes =
        folded == "yes" || folded == "on" || folded == "true" || folded == "1" || folded == "y";
    const bool no =
        folded == "no" || folded == "off" || folded == "false" || folded == "0" || folded == "n";
    fault(node.mark, "wrong-type", fmt::format("{} is true or false, not \"{}\"", label, node.text),
          yes  ? "true"
          : no ? "false"
               : "");
  }

  void number(const Node& node, const FieldSpec& field, const std::string& label) {
    const bool whole = field.type == FieldType::Integer;
    const auto parsed =
        whole ? std::optional<double>(parse_integer(node.text)) : parse_number(node.text);
    if (!parsed) {
      fault(node.mark, "wrong-type",
            fmt::format("{} is a {}, not \"{}\"", label, whole ? "whole number" : "number",
                        node.text));
    } else if (field.min < field.max && (*parsed < field.min || *parsed > field.max)) {
      fault(node.mark, "out-of-range",
            fmt::format("{} is {}, outside {} to {}", label, node.text, field.min, field.max));
    }
  }

  void duration(const Node& node, const std::string& label) {
    const auto parsed = parse_duration(node.text);
    if (parsed) return;
    const bool bare = parse_number(node.text).has_value();
    fault(node.mark, "bad-unit", fmt::format("{}: {}", label, parsed.error().message()),
          bare ? node.text + "s" : "");
  }

  void enumerator(const Node& node, const FieldSpec& field, const std::string& label) {
    std::vector<std::string> names;
    if (field.name == "connector")
      names = parts_.connectors();
    else
      names.assign(field.values.begin(), field.values.end());
    if (std::find(names.begin(), names.end(), node.text) != names.end()) return;
    const auto near = base::suggest(node.text, names);
    auto message = fmt::format("{} cannot be \"{}\"", label, node.text);
    if (!near) message += fmt::format("; it is one of {}", join(names));
    fault(node.mark, "unknown-value", message, near.value_or(""));
  }

  void secret(const Node& node, const std::string& label) {
    const auto* reference = node.find("secretRef");
    if (node.kind == Node::Kind::Scalar) {
      fault(node.mark, "secret-in-clear",
            fmt::format("{} stands in clear: put it into secrets/NAME and write {{secretRef: "
                        "{{name: NAME}}}}",
                        label));
    } else if (reference == nullptr || reference->find("name") == nullptr ||
               node.entries.size() != 1) {
      fault(node.mark, "wrong-type",
            fmt::format("{} is {{secretRef: {{name: NAME, key: KEY}}}}", label));
    }
  }

  void range(const Node& node, const std::string& label) {
    const bool pair = node.kind == Node::Kind::Sequence && node.items.size() == 2;
    const auto low = pair ? parse_number(node.items[0].text) : std::nullopt;
    const auto high = pair ? parse_number(node.items[1].text) : std::nullopt;
    if (!low || !high)
      fault(node.mark, "wrong-type", fmt::format("{} is [low, high]", label));
    else if (*low >= *high)
      fault(node.mark, "out-of-range", fmt::format("{}: low is not below high", label));
  }

  void options(const Node& node, std::span<const Option> known, const std::string& label) {
    if (connector_ == nullptr) return;  // The connector itself is at fault already.
    if (node.kind != Node::Kind::Mapping) {
      fault(node.mark, "wrong-type", fmt::format("{} is a mapping", label));
      return;
    }
    for (const auto& entry : node.entries) one_option(entry, "", known, label);
    for (const auto& option : known) {
      if (option.required && node.find(option.name) == nullptr) {
        fault(node.mark, "missing-field",
              fmt::format("{} lacks the option \"{}\"", label, option.name));
      }
    }
  }

  /// `binary: {offset: 8}` is the option `binary.offset`.
  void one_option(const Node::Entry& entry, const std::string& prefix,
                  std::span<const Option> known, const std::string& label) {
    const auto name = prefix + entry.key;
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&](const Option& option) { return option.name == name; });
    const bool nested = entry.value.kind == Node::Kind::Mapping;
    if (nested && (at == known.end() || at->type != OptionType::Object)) {
      for (const auto& inner : entry.value.entries) one_option(inner, name + ".", known, label);
    } else if (at == known.end()) {
      unknown_option(entry, name, known, label);
    } else if (const auto wrong = option_fault(*at, entry.value); !wrong.empty()) {
      fault(entry.value.mark, at->type == OptionType::Duration ? "bad-unit" : "wrong-type",
            fmt::format("{} in {}: {}", name, label, wrong));
    }
  }

  void unknown_option(const Node::Entry& entry, const std::string& name,
                      std::span<const Option> known, const std::string& label) {
    std::vector<base::Candidate> candidates;
    std::vector<std::string> names;
    for (const auto& option : known) {
      candidates.push_back({.name = option.name,
                            .aliases = option.aliases,
                            .required_and_missing = option.required});
      names.emplace_back(option.name);
    }
    const auto near = base::suggest(name, candidates);
    auto message =
        fmt::format("unknown option \"{}\" in {} (connector {})", name, label, connector_->name);
    if (!near && !names.empty()) message += fmt::format("; it has {}", join(names));
    fault(entry.mark, "unknown-field", message, near.value_or(""));
  }

  void check_acts() {
    const auto* acts = resource_.spec.find("act");
    if (acts == nullptr) return;
    for (const auto& act : acts->items) {
      const int effects =
          (act.find("alarm") != nullptr ? 1 : 0) + (act.find("write") != nullptr ? 1 : 0);
      if (act.kind == Node::Kind::Mapping && effects != 1 && act.find("call") == nullptr) {
        fault(act.mark, "missing-field", "an act has exactly one of alarm and write");
      }
    }
  }

  const Resource& resource_;
  const Parts& parts_;
  base::Diagnostics& out_;
  const Spec* connector_ = nullptr;
  std::set<std::string, std::less<>> meant_;  ///< Suggested: not reported as missing as well.
};

}  // namespace

std::string option_fault(const Option& option, const Node& value) {
  if (option.type == OptionType::Object)
    return value.kind == Node::Kind::Mapping ? "" : "a mapping is expected";
  if (value.kind != Node::Kind::Scalar) return "a single value is expected";
  switch (option.type) {
    case OptionType::Bool:
      return parse_bool(value.text) ? "" : "true or false is expected";
    case OptionType::Integer:
    case OptionType::Number: {
      const auto number = option.type == OptionType::Integer
                              ? std::optional<double>(parse_integer(value.text))
                              : parse_number(value.text);
      if (!number) return fmt::format("a number is expected, not \"{}\"", value.text);
      const bool outside =
          option.min < option.max && (*number < option.min || *number > option.max);
      return outside ? fmt::format("{} is outside {} to {}", value.text, option.min, option.max)
                     : "";
    }
    case OptionType::Duration: {
      const auto duration = parse_duration(value.text);
      return duration ? "" : duration.error().message();
    }
    case OptionType::Bytes: {
      const auto size = parse_bytes(value.text);
      return size ? "" : size.error().message();
    }
    case OptionType::Enum: {
      if (std::find(option.values.begin(), option.values.end(), value.text) != option.values.end())
        return "";
      const std::vector<std::string> names(option.values.begin(), option.values.end());
      const auto near = base::suggest(value.text, names);
      if (near) return fmt::format("\"{}\" is not known: did you mean \"{}\"?", value.text, *near);
      return fmt::format("\"{}\" is not one of {}", value.text, join(names));
    }
    default:
      return "";
  }
}

void check_schema(const std::vector<Resource>& resources, const Parts& parts,
                  base::Diagnostics& out) {
  for (const auto& resource : resources) Checker(resource, parts, out).run();
}

}  // namespace infiniedge::app::config
