// SPDX-License-Identifier: Apache-2.0
#include "model/model_yaml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/suggest.hpp"
#include "base/yaml.hpp"
#include "model/yaml_schedule.hpp"

namespace infiniedge::model {

using base::yaml::Mark;
using base::yaml::Node;
using Entry = Node::Entry;
using Kind = Node::Kind;

/// What is being filled: the configuration, and the element of a list that is being read.
struct YamlDraft {
  ModelConfig& config;
  IoConfig io{};
  bool typed = false;  ///< `io` names its type.
  Accelerator accelerator{};
  std::string file{};
};

namespace {

constexpr std::int64_t kMany = 1 << 20;

Error wrong(Mark at, std::string_view what) {
  return {Code::Invalid, fmt::format("{}:{}: {}", at.line, at.column, what)};
}

Result<void> read_keys(YamlDraft& draft, const Node& map, std::string_view where,
                       std::span<const YamlKey> keys) {
  if (map.is_null()) return {};
  if (map.kind != Kind::Mapping) {
    return wrong(map.mark, fmt::format("{} takes keys and values", where));
  }
  for (const auto& entry : map.entries) {
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const auto& key) { return key.name == entry.key; });
    if (found != keys.end()) {
      INFINIEDGE_TRY(found->read(draft, entry));
      continue;
    }
    std::vector<std::string> names;
    for (const auto& key : keys) names.emplace_back(key.name);
    const auto near = base::suggest(entry.key, names);
    return wrong(entry.mark, fmt::format("unknown key '{}' in {}{}", entry.key, where,
                                         near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  return {};
}

// Readers of one key, by what it takes. `Set` stores the value.

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

template <std::int64_t Low, std::int64_t High, auto Set>
Result<void> integer(YamlDraft& draft, const Entry& entry) {
  const auto value = number_of<std::int64_t>(entry.value.text);
  if (entry.value.kind != Kind::Scalar || !value || *value < Low || *value > High) {
    return wrong(entry.value.mark,
                 fmt::format("'{}' takes an integer from {} to {}", entry.key, Low, High));
  }
  Set(draft, *value);
  return {};
}

/// `auto` is `Default`, whatever config.pbtxt says.
template <std::int64_t Low, std::int64_t High, std::int64_t Default, auto Set>
Result<void> integer_or_auto(YamlDraft& draft, const Entry& entry) {
  if (entry.value.text != "auto") return integer<Low, High, Set>(draft, entry);
  Set(draft, Default);
  return {};
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
    const auto value = *number_of<std::int64_t>(text.substr(0, digits));
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

template <auto Set>
Result<void> duration(YamlDraft& draft, const Entry& entry) {
  const auto value = duration_of(entry.value.text);
  if (entry.value.kind != Kind::Scalar || !value || *value > Micros{Seconds{86'400}}) {
    return wrong(entry.value.mark,
                 fmt::format("'{}' takes a duration up to 1d with its unit, like 5ms", entry.key));
  }
  Set(draft, *value);
  return {};
}

/// `200MiB`, `2G`, `4096`.
std::optional<std::uint64_t> bytes_of(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = number_of<std::uint64_t>(text.substr(0, digits));
  auto unit = text.substr(digits);
  if (!value) return std::nullopt;
  if (unit.ends_with('B')) unit.remove_suffix(1);
  if (unit.empty()) return *value;
  const auto power = std::string_view("KMGT").find(unit.front());
  const bool binary = unit.size() == 2 && unit[1] == 'i';
  if (power == std::string_view::npos || (unit.size() > 1 && !binary)) return std::nullopt;
  std::uint64_t out = *value;
  for (std::size_t i = 0; i <= power; ++i) {
    if (__builtin_mul_overflow(out, binary ? 1024U : 1000U, &out)) return std::nullopt;
  }
  return out;
}

template <auto Set>
Result<void> bytes(YamlDraft& draft, const Entry& entry) {
  const auto value = bytes_of(entry.value.text);
  if (entry.value.kind != Kind::Scalar || !value) {
    return wrong(entry.value.mark, fmt::format("'{}' takes a size, like 200MiB", entry.key));
  }
  Set(draft, *value);
  return {};
}

template <auto Set>
Result<void> boolean(YamlDraft& draft, const Entry& entry) {
  if (entry.value.text != "true" && entry.value.text != "false") {
    return wrong(entry.value.mark, fmt::format("'{}' takes true or false", entry.key));
  }
  Set(draft, entry.value.text == "true");
  return {};
}

/// One of two words; true is the second.
template <const auto& Words, auto Set>
Result<void> word(YamlDraft& draft, const Entry& entry) {
  const std::vector<std::string> values{Words[0], Words[1]};
  const auto& given = entry.value.text;
  if (given != values[0] && given != values[1]) {
    const auto near = base::suggest(given, values);
    return wrong(entry.value.mark,
                 fmt::format("'{}' does not take '{}'{}", entry.key, given,
                             near ? fmt::format("; did you mean '{}'?", *near)
                                  : fmt::format(": {} or {}", values[0], values[1])));
  }
  Set(draft, given == values[1]);
  return {};
}

template <auto Set>
Result<void> text(YamlDraft& draft, const Entry& entry) {
  if (entry.value.kind != Kind::Scalar) {
    return wrong(entry.value.mark, fmt::format("'{}' takes a word", entry.key));
  }
  Set(draft, entry.value.text);
  return {};
}

template <const auto& Keys>
Result<void> group(YamlDraft& draft, const Entry& entry) {
  return read_keys(draft, entry.value, entry.key, Keys);
}

Result<std::vector<std::int64_t>> integers(const Entry& entry, std::int64_t low) {
  std::vector<std::int64_t> out;
  if (entry.value.kind != Kind::Sequence) {
    return wrong(entry.value.mark, fmt::format("'{}' takes a list of integers", entry.key));
  }
  for (const auto& item : entry.value.items) {
    const auto value = number_of<std::int64_t>(item.text);
    if (item.kind != Kind::Scalar || !value || *value < low) {
      return wrong(item.mark, fmt::format("'{}' takes integers from {}", entry.key, low));
    }
    out.push_back(*value);
  }
  return out;
}

Result<void> only_versions(YamlDraft& draft, const Entry& entry) {
  auto list = integers(entry, 1);
  if (!list) return std::move(list).error();
  draft.config.versions.kind = VersionPolicy::Kind::Specific;
  draft.config.versions.specific = std::move(*list);
  return {};
}

Result<void> latest_versions(YamlDraft& draft, const Entry& entry) {
  const auto set = [](YamlDraft& d, std::int64_t n) {
    d.config.versions.latest = static_cast<std::uint32_t>(n);
  };
  return integer<1, kMany, set>(draft, entry);
}

constexpr YamlKey kVersions[] = {
    {"latest", "integer", "1", "serve so many of the highest versions", {}, latest_versions},
    {"only", "list of integers", "", "serve exactly these", {}, only_versions},
};

Result<void> versions(YamlDraft& draft, const Entry& entry) {
  draft.config.versions = {};
  if (entry.value.text == "all") {
    draft.config.versions.kind = VersionPolicy::Kind::All;
    return {};
  }
  return read_keys(draft, entry.value, entry.key, kVersions);
}

void set_mode(YamlDraft& draft, bool off) {
  draft.config.batching.declared = off;
  if (off) draft.config.batching.enabled = false;
}

constexpr const char* kModes[] = {"auto", "off"};
constexpr YamlKey kBatching[] = {
    {"mode",
     "auto or off",
     "auto",
     "auto: requests that wait together run together where that was measured to pay",
     {},
     word<kModes, set_mode>},
    {"max_delay",
     "duration",
     "0us",
     "how long a request may wait for others to join it",
     {},
     duration<[](YamlDraft& d, Micros v) { d.config.batching.max_delay = v; }>},
    {"preserve_order",
     "true or false",
     "false",
     "answer in the order of arrival",
     {},
     boolean<[](YamlDraft& d, bool v) { d.config.batching.preserve_order = v; }>},
};

constexpr const char* kOnTimeout[] = {"reject", "delay"};
constexpr YamlKey kQueue[] = {
    {"max",
     "integer or auto",
     "auto",
     "requests that may wait; auto: half a second of work, 8 to 1024",
     {},
     integer_or_auto<1, kMany, 0,
                     [](YamlDraft& d, std::int64_t v) {
                       d.config.batching.queue.max_size = static_cast<std::size_t>(v);
                     }>},
    {"timeout",
     "duration",
     "0ms",
     "longest wait in the queue; 0: as long as it takes",
     {},
     duration<[](YamlDraft& d, Micros v) { d.config.batching.queue.timeout = v; }>},
    {"on_timeout",
     "reject or delay",
     "reject",
     "refuse what waited too long, or run it behind all others",
     {},
     word<kOnTimeout, [](YamlDraft& d, bool v) { d.config.batching.queue.delay_on_timeout = v; }>},
};

constexpr YamlKey kPriorities[] = {
    {"levels",
     "integer",
     "0",
     "levels that requests may name; 1 is the most urgent",
     {},
     integer<0, 64,
             [](YamlDraft& d, std::int64_t v) {
               d.config.batching.priority_levels = static_cast<std::uint32_t>(v);
             }>},
    {"default",
     "integer",
     "0",
     "level of requests that name none; 0: the middle one",
     {},
     integer<0, 64,
             [](YamlDraft& d, std::int64_t v) {
               d.config.batching.default_priority = static_cast<std::uint32_t>(v);
             }>},
};

Result<void> priorities(YamlDraft& draft, const Entry& entry) {
  INFINIEDGE_TRY(read_keys(draft, entry.value, entry.key, kPriorities));
  const auto& batching = draft.config.batching;
  if (batching.default_priority <= batching.priority_levels) return {};
  return wrong(entry.mark, fmt::format("default {} is above levels, which is {}",
                                       batching.default_priority, batching.priority_levels));
}

Result<void> tolerance(YamlDraft& draft, const Entry& entry) {
  const auto value = number_of<double>(entry.value.text);
  if (!value || !std::isfinite(*value) || *value < 0) {
    return wrong(entry.value.mark, fmt::format("'{}' takes a number from 0", entry.key));
  }
  draft.config.golden_tolerance = *value;
  return {};
}

constexpr YamlKey kGolden[] = {
    {"tolerance",
     "number",
     "1e-3",
     "how far a float of an answer may be from golden/, absolutely or relative to it",
     {},
     tolerance},
};

constexpr YamlKey kCache[] = {
    {"enabled",
     "true or false",
     "false",
     "keep answers and give them again",
     {},
     boolean<[](YamlDraft& d, bool v) { d.config.cache.enabled = v; }>},
    {"ttl",
     "duration",
     "60s",
     "how long an answer is kept",
     {},
     duration<[](YamlDraft& d, Micros v) { d.config.cache.ttl = v; }>},
};

Result<void> dtype(YamlDraft& draft, const Entry& entry) {
  const auto parsed = data_type_from(entry.value.text);
  if (!parsed) {
    return wrong(entry.value.mark, fmt::format("'{}' is no data type; write FP32, INT64, BYTES, …",
                                               entry.value.text));
  }
  draft.io.type = *parsed;
  draft.typed = true;
  return {};
}

Result<void> shape(YamlDraft& draft, const Entry& entry) {
  auto list = integers(entry, -1);
  if (!list) return std::move(list).error();
  draft.io.dims = std::move(*list);
  return {};
}

constexpr YamlKey kName{"name", "word",
                        "",     "of the tensor, as the model has it",
                        {},     text<[](YamlDraft& d, const std::string& v) { d.io.name = v; }>};
constexpr YamlKey kType{"dtype", "data type", "", "FP32, INT64, BYTES, …", {}, dtype};
constexpr YamlKey kShape{"shape", "list of integers", "", "without the batch; -1 varies", {},
                         shape};
constexpr YamlKey kInput[] = {kName, kType, kShape};
constexpr YamlKey kOutput[] = {
    kName,
    kType,
    kShape,
    {"labels",
     "file",
     "",
     "names of the classes, one a line; in the model's folder",
     {},
     text<[](YamlDraft& d, const std::string& v) { d.io.label_filename = v; }>}};

/// Merges a tensor by name into what config.pbtxt said.
void merge(YamlDraft& draft, std::vector<IoConfig>& ios) {
  auto& io = draft.io;
  const auto found = std::find_if(ios.begin(), ios.end(),
                                  [&](const auto& other) { return other.name == io.name; });
  if (found == ios.end()) {
    ios.push_back(std::move(io));
    return;
  }
  if (draft.typed) found->type = io.type;
  if (!io.dims.empty()) found->dims = io.dims;
  if (!io.label_filename.empty()) found->label_filename = io.label_filename;
}

template <const auto& Keys, auto Side>
Result<void> tensors(YamlDraft& draft, const Entry& entry) {
  if (entry.value.kind != Kind::Sequence) {
    return wrong(entry.value.mark, fmt::format("'{}' takes a list", entry.key));
  }
  for (const auto& item : entry.value.items) {
    draft.io = {};
    draft.typed = false;
    INFINIEDGE_TRY(read_keys(draft, item, entry.key, Keys));
    if (draft.io.name.empty()) {
      return wrong(item.mark, fmt::format("an entry of {} needs a name", entry.key));
    }
    merge(draft, draft.config.*Side);
  }
  return {};
}

Result<void> ep_options(YamlDraft& draft, const Entry& entry) {
  if (entry.value.kind != Kind::Mapping) {
    return wrong(entry.value.mark, fmt::format("'{}' takes keys and values", entry.key));
  }
  for (const auto& option : entry.value.entries) {
    if (option.value.kind != Kind::Scalar) {
      return wrong(option.value.mark, fmt::format("'{}' takes a word", option.key));
    }
    draft.accelerator.options[option.key] = option.value.text;
  }
  return {};
}

constexpr YamlKey kAccelerator[] = {
    {"ep",
     "word",
     "",
     "execution provider: openvino, cuda, …",
     {},
     text<[](YamlDraft& d, const std::string& v) { d.accelerator.name = v; }>},
    {"options", "keys and values", "", "passed to it as they are", {}, ep_options},
};

Result<void> accelerators(YamlDraft& draft, const Entry& entry) {
  if (entry.value.kind != Kind::Sequence) {
    return wrong(entry.value.mark, fmt::format("'{}' takes a list", entry.key));
  }
  draft.config.accelerators.clear();
  for (const auto& item : entry.value.items) {
    draft.accelerator = {};
    INFINIEDGE_TRY(read_keys(draft, item, entry.key, kAccelerator));
    if (draft.accelerator.name.empty()) return wrong(item.mark, "an accelerator needs an 'ep'");
    draft.config.accelerators.push_back(draft.accelerator);
  }
  return {};
}

Result<void> idle_unload(YamlDraft& draft, const Entry& entry) {
  draft.config.idle_unload.reset();
  if (entry.value.text == "never") return {};
  return duration<[](YamlDraft& d, Micros v) { d.config.idle_unload = v; }>(draft, entry);
}

constexpr const char* kSwap[] = {"beside", "stop_first"};
constexpr YamlKey kTop[] = {
    {"backend",
     "word",
     "by the file",
     "onnxruntime, openvino or native",
     {},
     text<[](YamlDraft& d, const std::string& v) { d.config.backend = v; }>},
    {"max_batch",
     "integer",
     "from the model",
     "largest batch of a request; 0: the model has no batch dimension",
     {},
     integer<0, kMany,
             [](YamlDraft& d, std::int64_t v) {
               d.config.max_batch_size = static_cast<std::int32_t>(v);
             }>},
    {"inputs", "list", "from the model", "tensors that it takes", kInput,
     tensors<kInput, &ModelConfig::inputs>},
    {"outputs", "list", "from the model", "tensors that it gives", kOutput,
     tensors<kOutput, &ModelConfig::outputs>},
    {"versions", "all or keys", "{latest: 1}", "which version folders are served", kVersions,
     versions},
    {"instances",
     "integer or auto",
     "auto",
     "executions beside each other; auto: 1",
     {},
     integer_or_auto<
         1, 64, 1, [](YamlDraft& d, std::int64_t v) { d.config.instances = static_cast<int>(v); }>},
    {"threads",
     "integer or auto",
     "auto",
     "threads of one execution; auto: 1",
     {},
     integer_or_auto<1, 256, 1,
                     [](YamlDraft& d, std::int64_t v) { d.config.threads = static_cast<int>(v); }>},
    {"batching", "keys", "", "how requests are put together", kBatching, group<kBatching>},
    {"queue", "keys", "", "how requests wait", kQueue, group<kQueue>},
    {"priorities", "keys", "", "levels of urgency", kPriorities, priorities},
    {"memory",
     "size",
     "measured",
     "what one copy needs, where the author knows better",
     {},
     bytes<[](YamlDraft& d, std::uint64_t v) { d.config.memory = v; }>},
    {"required",
     "true or false",
     "false",
     "the server is ready only with this model",
     {},
     boolean<[](YamlDraft& d, bool v) { d.config.required = v; }>},
    {"idle_unload",
     "duration or never",
     "never",
     "unload after so long without a request; the next one loads it again",
     {},
     idle_unload},
    {"swap",
     "beside or stop_first",
     "beside",
     "where two copies do not fit: refuse the new, or stop the old before loading it",
     {},
     word<kSwap, [](YamlDraft& d, bool v) { d.config.stop_first = v; }>},
    {"accelerators", "list", "", "tried in order before the CPU", kAccelerator, accelerators},
    {"golden", "keys", "", "answers that a new version must give", kGolden, group<kGolden>},
    {"cache", "keys", "", "answers kept for the same request", kCache, group<kCache>},
    {"sequence_batching",
     "keys",
     "",
     "requests that belong together; fields as in config.pbtxt",
     {},
     [](YamlDraft& d, const Entry& e) { return read_sequence_batching(e, d.file, d.config); }},
    {"ensemble_scheduling",
     "keys",
     "",
     "models that feed each other; fields as in config.pbtxt",
     {},
     [](YamlDraft& d, const Entry& e) { return read_ensemble_scheduling(e, d.file, d.config); }},
};

}  // namespace

std::span<const YamlKey> model_yaml_keys() { return kTop; }

Result<void> read_model_yaml(std::string_view text, const std::string& file, ModelConfig& config) {
  const auto located = [&file](const Error& error) {
    return Error{error.code(), file + ":" + error.message()};
  };
  const auto parsed = base::yaml::parse(text, file);
  for (const auto& fault : parsed.diagnostics) {
    if (fault.severity != base::Severity::Error) continue;
    return located(wrong({fault.line, fault.column, fault.end}, fault.message));
  }
  if (parsed.documents.empty()) return {};
  YamlDraft draft{.config = config, .file = file};
  auto read = read_keys(draft, parsed.documents.front(), "model.yaml", kTop);
  if (!read) return located(read.error());
  return {};
}

}  // namespace infiniedge::model
