// SPDX-License-Identifier: Apache-2.0
#include "model/model_yaml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "base/suggest.hpp"
#include "base/yaml.hpp"
#include "model/config_pbtxt.hpp"

namespace infiniedge::model {
namespace {

using base::yaml::Mark;
using base::yaml::Node;
using Kind = Node::Kind;
using Handler = std::function<Result<void>(const Node::Entry&)>;
struct Known {
  std::string_view key;
  Handler handle;
};

Error wrong(Mark at, std::string_view what) {
  return {Code::Invalid, fmt::format("{}:{}: {}", at.line, at.column, what)};
}

Result<void> each(const Node& map, std::string_view where, const std::vector<Known>& known) {
  if (map.is_null()) return {};
  if (map.kind != Kind::Mapping)
    return wrong(map.mark, fmt::format("{} takes keys and values", where));
  for (const auto& entry : map.entries) {
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.key == entry.key; });
    if (found != known.end()) {
      INFINIEDGE_TRY(found->handle(entry));
      continue;
    }
    std::vector<std::string> names;
    for (const auto& k : known) names.emplace_back(k.key);
    const auto near = base::suggest(entry.key, names);
    return wrong(entry.mark, fmt::format("unknown key '{}' in {}{}", entry.key, where,
                                         near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  return {};
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

Handler integer(std::int64_t low, std::int64_t high, std::function<void(std::int64_t)> set,
                std::string_view word = {}) {
  return [=](const Node::Entry& entry) -> Result<void> {
    if (!word.empty() && entry.value.text == word) return {};
    const auto value = integer_of(entry.value.text);
    if (entry.value.kind != Kind::Scalar || !value || *value < low || *value > high) {
      return wrong(entry.value.mark,
                   fmt::format("'{}' takes an integer from {} to {}{}", entry.key, low, high,
                               word.empty() ? "" : fmt::format(", or {}", word)));
    }
    set(*value);
    return {};
  };
}

/// `250ms`, `0us`, `1m30s`.
std::optional<Micros> duration_of(std::string_view text) {
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"us", 1},         {"ms", 1000},         {"s", 1'000'000},
      {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}};
  std::int64_t total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || digits > 9) return std::nullopt;
    const auto value = *integer_of(text.substr(0, digits));
    text.remove_prefix(digits);
    const auto unit = text.substr(0, text.find_first_of("0123456789"));
    const auto found = std::find_if(std::begin(kUnits), std::end(kUnits),
                                    [&](const auto& u) { return u.first == unit; });
    if (found == std::end(kUnits)) return std::nullopt;
    if (__builtin_add_overflow(total, value * found->second, &total)) return std::nullopt;
    text.remove_prefix(unit.size());
  }
  return Micros{total};
}

Handler duration(std::function<void(Micros)> set) {
  return [set = std::move(set)](const Node::Entry& entry) -> Result<void> {
    const auto value = duration_of(entry.value.text);
    if (entry.value.kind != Kind::Scalar || !value || *value > Micros{Seconds{86'400}}) {
      return wrong(
          entry.value.mark,
          fmt::format("'{}' takes a duration up to 1d with its unit, like 5ms", entry.key));
    }
    set(*value);
    return {};
  };
}

Handler boolean(std::function<void(bool)> set) {
  return [set = std::move(set)](const Node::Entry& entry) -> Result<void> {
    if (entry.value.text != "true" && entry.value.text != "false") {
      return wrong(entry.value.mark, fmt::format("'{}' takes true or false", entry.key));
    }
    set(entry.value.text == "true");
    return {};
  };
}

Handler word(std::vector<std::string> values, std::function<void(const std::string&)> set) {
  return
      [values = std::move(values), set = std::move(set)](const Node::Entry& entry) -> Result<void> {
        const auto& given = entry.value.text;
        if (std::find(values.begin(), values.end(), given) == values.end()) {
          const auto near = base::suggest(given, values);
          return wrong(entry.value.mark,
                       fmt::format("'{}' does not take '{}'{}", entry.key, given,
                                   near ? fmt::format("; did you mean '{}'?", *near) : ""));
        }
        set(given);
        return {};
      };
}

Handler text(std::function<void(const std::string&)> set) {
  return [set = std::move(set)](const Node::Entry& entry) -> Result<void> {
    if (entry.value.kind != Kind::Scalar) {
      return wrong(entry.value.mark, fmt::format("'{}' takes a word", entry.key));
    }
    set(entry.value.text);
    return {};
  };
}

Result<std::vector<std::int64_t>> integers(const Node::Entry& entry, std::int64_t low) {
  std::vector<std::int64_t> out;
  if (entry.value.kind != Kind::Sequence) {
    return wrong(entry.value.mark, fmt::format("'{}' takes a list of integers", entry.key));
  }
  for (const auto& item : entry.value.items) {
    const auto value = integer_of(item.text);
    if (item.kind != Kind::Scalar || !value || *value < low) {
      return wrong(item.mark, fmt::format("'{}' takes integers from {}", entry.key, low));
    }
    out.push_back(*value);
  }
  return out;
}

Result<void> read_versions(const Node::Entry& entry, VersionPolicy& policy) {
  if (entry.value.text == "all") {
    policy = {.kind = VersionPolicy::Kind::All};
    return {};
  }
  const Handler only = [&policy](const Node::Entry& inner) -> Result<void> {
    auto list = integers(inner, 1);
    if (!list) return std::move(list).error();
    policy.kind = VersionPolicy::Kind::Specific;
    policy.specific = std::move(*list);
    return {};
  };
  policy = {};
  return each(
      entry.value, "versions",
      {{"latest",
        integer(1, 1 << 20, [&policy](auto n) { policy.latest = static_cast<std::uint32_t>(n); })},
       {"only", only}});
}

Result<void> read_batching(const Node::Entry& entry, Batching& batching) {
  return each(entry.value, "batching",
              {{"mode", word({"auto", "off"},
                             [&](const std::string& mode) {
                               batching.declared = mode == "off";
                               if (mode == "off") batching.enabled = false;
                             })},
               {"max_delay", duration([&](Micros d) { batching.max_delay = d; })},
               {"preserve_order", boolean([&](bool on) { batching.preserve_order = on; })}});
}

Result<void> read_queue(const Node::Entry& entry, Batching& batching,
                        std::vector<std::string>& warnings, const std::string& file) {
  return each(
      entry.value, "queue",
      {{"max",
        integer(
            1, 1 << 20, [&](auto n) { batching.max_queue = static_cast<std::size_t>(n); }, "auto")},
       {"timeout", duration([&](Micros d) { batching.timeout = d; })},
       {"on_timeout", word({"reject", "delay"}, [&](const std::string& action) {
          if (action != "delay") return;
          warnings.push_back(fmt::format("{}:{}:{}: 'delay' is treated as 'reject'", file,
                                         entry.mark.line, entry.mark.column));
        })}});
}

/// One entry of `inputs` or `outputs`, merged by name into what config.pbtxt said.
Result<void> read_io(const Node& node, std::string_view side, std::vector<IoConfig>& ios) {
  IoConfig io;
  bool typed = false;
  const Handler type = [&](const Node::Entry& entry) -> Result<void> {
    const auto parsed = data_type_from(entry.value.text);
    if (!parsed) {
      return wrong(
          entry.value.mark,
          fmt::format("'{}' is no data type; write FP32, INT64, BYTES, …", entry.value.text));
    }
    io.type = *parsed;
    typed = true;
    return {};
  };
  const Handler shape = [&](const Node::Entry& entry) -> Result<void> {
    auto list = integers(entry, -1);
    if (!list) return std::move(list).error();
    io.dims = std::move(*list);
    return {};
  };
  INFINIEDGE_TRY(each(node, side,
                      {{"name", text([&](const std::string& name) { io.name = name; })},
                       {"dtype", type},
                       {"shape", shape},
                       {"labels", text([&](const std::string& f) { io.label_filename = f; })}}));
  if (io.name.empty()) return wrong(node.mark, fmt::format("an entry of {} needs a name", side));
  const auto found = std::find_if(ios.begin(), ios.end(),
                                  [&](const auto& other) { return other.name == io.name; });
  if (found == ios.end()) {
    ios.push_back(std::move(io));
    return {};
  }
  if (typed) found->type = io.type;
  if (!io.dims.empty()) found->dims = io.dims;
  if (!io.label_filename.empty()) found->label_filename = io.label_filename;
  return {};
}

Handler ios(std::string_view side, std::vector<IoConfig>& out) {
  return [side, &out](const Node::Entry& entry) -> Result<void> {
    if (entry.value.kind != Kind::Sequence) {
      return wrong(entry.value.mark, fmt::format("'{}' takes a list", side));
    }
    for (const auto& item : entry.value.items) INFINIEDGE_TRY(read_io(item, side, out));
    return {};
  };
}

Result<void> read_top(const Node& root, const std::string& file, ModelConfig& config,
                      std::vector<std::string>& warnings) {
  const Handler ignored = [&](const Node::Entry& entry) -> Result<void> {
    warnings.push_back(fmt::format("{}:{}:{}: '{}' is read and has no effect in this build", file,
                                   entry.mark.line, entry.mark.column, entry.key));
    return {};
  };
  const auto sub = [&](auto read) {
    return [&config, read](const Node::Entry& e) { return read(e, config.batching); };
  };
  const Handler queue = [&](const Node::Entry& e) {
    return read_queue(e, config.batching, warnings, file);
  };
  const Handler versions = [&](const Node::Entry& e) { return read_versions(e, config.versions); };
  const auto set = [](int& out) { return [&out](auto n) { out = static_cast<int>(n); }; };
  return each(root, "model.yaml",
              {{"backend", text([&](const std::string& b) { config.backend = b; })},
               {"max_batch",
                integer(0, 1 << 20, [&](auto n) { config.max_batch_size = static_cast<int>(n); })},
               {"inputs", ios("inputs", config.inputs)},
               {"outputs", ios("outputs", config.outputs)},
               {"versions", versions},
               {"instances", integer(1, 64, set(config.instances), "auto")},
               {"threads", integer(1, 256, set(config.threads), "auto")},
               {"batching", sub(read_batching)},
               {"queue", queue},
               {"required", boolean([&](bool on) { config.required = on; })},
               {"priorities", ignored},
               {"memory", ignored},
               {"idle_unload", ignored},
               {"accelerators", ignored},
               {"golden", ignored},
               {"cache", ignored},
               {"swap", ignored}});
}

}  // namespace

Result<void> read_model_yaml(std::string_view text, const std::string& file, ModelConfig& config,
                             std::vector<std::string>& warnings) {
  const auto located = [&file](const Error& error) {
    return Error{error.code(), file + ":" + error.message()};
  };
  const auto parsed = base::yaml::parse(text, file);
  for (const auto& fault : parsed.diagnostics) {
    if (fault.severity != base::Severity::Error) continue;
    return located(wrong({fault.line, fault.column, fault.end}, fault.message));
  }
  if (parsed.documents.empty()) return {};
  auto read = read_top(parsed.documents.front(), file, config, warnings);
  if (!read) return located(read.error());
  return {};
}

}  // namespace infiniedge::model
