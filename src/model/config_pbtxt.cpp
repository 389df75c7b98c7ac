// SPDX-License-Identifier: Apache-2.0
#include "model/config_pbtxt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/suggest.hpp"
#include "model/pbtxt.hpp"

namespace infiniedge::model {
namespace {

/// Where errors say they are, and where warnings go.
struct Context {
  const std::string& file;
  std::vector<std::string>& warnings;

  Error error(Position at, std::string_view what, Code code = Code::Invalid) const {
    return {code, fmt::format("{}:{}:{}: {}", file, at.line, at.column, what)};
  }
  void warn(Position at, std::string_view what) const {
    warnings.push_back(fmt::format("{}:{}:{}: {}", file, at.line, at.column, what));
  }
};

using Handler = std::function<Result<void>(const PbField&)>;
struct Known {
  std::string_view name;
  Handler handle;
};

/// Gives every field to its handler; unknown names are errors with a suggestion.
Result<void> each(const Context& context, const std::vector<PbField>& fields,
                  std::string_view message, const std::vector<Known>& known) {
  for (const auto& field : fields) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const auto& k) { return k.name == field.name; });
    if (found != known.end()) {
      INFINIEDGE_TRY(found->handle(field));
      continue;
    }
    std::vector<std::string> names;
    for (const auto& k : known) names.emplace_back(k.name);
    const auto near = base::suggest(field.name, names);
    return context.error(field.at,
                         fmt::format("unknown field '{}' in {}{}", field.name, message,
                                     near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  return {};
}

Handler text(const Context& context, std::string& out) {
  return [&context, &out](const PbField& field) -> Result<void> {
    if (field.value.kind != PbValue::Kind::String) {
      return context.error(field.value.at, fmt::format("'{}' takes a quoted string", field.name));
    }
    out = field.value.text;
    return {};
  };
}

Result<std::int64_t> integer_of(const Context& context, const PbField& field, std::int64_t low,
                                std::int64_t high) {
  const auto& digits = field.value.text;
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (field.value.kind != PbValue::Kind::Number || error != std::errc{} ||
      stop != digits.data() + digits.size() || value < low || value > high) {
    return context.error(field.value.at,
                         fmt::format("'{}' takes an integer from {} to {}", field.name, low, high));
  }
  return value;
}

template <class T>
Handler integer(const Context& context, std::int64_t low, std::int64_t high,
                std::function<void(T)> set) {
  return [&context, low, high, set = std::move(set)](const PbField& field) -> Result<void> {
    auto value = integer_of(context, field, low, high);
    if (!value) return std::move(value).error();
    set(static_cast<T>(*value));
    return {};
  };
}

Handler boolean(const Context& context, std::function<void(bool)> set) {
  return [&context, set = std::move(set)](const PbField& field) -> Result<void> {
    const auto& word = field.value.text;
    const bool yes = word == "true" || word == "1" || word == "t" || word == "True";
    const bool no = word == "false" || word == "0" || word == "f" || word == "False";
    if (field.value.kind == PbValue::Kind::String || (!yes && !no)) {
      return context.error(field.value.at, fmt::format("'{}' takes true or false", field.name));
    }
    set(yes);
    return {};
  };
}

Handler message(const Context& context, std::function<Result<void>(const PbValue&)> read) {
  return [&context, read = std::move(read)](const PbField& field) -> Result<void> {
    if (field.value.kind != PbValue::Kind::Message) {
      return context.error(field.value.at,
                           fmt::format("'{}' takes a message: {{ … }}", field.name));
    }
    return read(field.value);
  };
}

Handler ignored(const Context& context) {
  return [&context](const PbField& field) -> Result<void> {
    context.warn(field.at, fmt::format("'{}' is accepted and has no effect here", field.name));
    return {};
  };
}

Handler unsupported(const Context& context, std::string_view why) {
  return [&context, why](const PbField& field) -> Result<void> {
    return context.error(field.at, fmt::format("'{}' is not supported: {}", field.name, why),
                         Code::Unsupported);
  };
}

constexpr std::string_view kTypes[] = {"TYPE_INVALID", "TYPE_BOOL",   "TYPE_UINT8", "TYPE_UINT16",
                                       "TYPE_UINT32",  "TYPE_UINT64", "TYPE_INT8",  "TYPE_INT16",
                                       "TYPE_INT32",   "TYPE_INT64",  "TYPE_FP16",  "TYPE_FP32",
                                       "TYPE_FP64",    "TYPE_STRING", "TYPE_BF16"};

/// Enum by name or by number.
Result<int> enum_of(const Context& context, const PbField& field,
                    std::span<const std::string_view> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (field.value.text == names[i] || field.value.text == std::to_string(i)) {
      return static_cast<int>(i);
    }
  }
  std::vector<std::string> all(names.begin(), names.end());
  const auto near = base::suggest(field.value.text, all);
  return context.error(field.value.at,
                       fmt::format("'{}' is not a value of '{}'{}", field.value.text, field.name,
                                   near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

Handler data_type(const Context& context, DataType& out) {
  return [&context, &out](const PbField& field) -> Result<void> {
    auto index = enum_of(context, field, kTypes);
    if (!index) return std::move(index).error();
    if (*index == 0) return context.error(field.value.at, "a tensor cannot be TYPE_INVALID");
    const auto name = kTypes[*index].substr(5);
    out = name == "STRING" ? DataType::Bytes : *data_type_from(name);
    return {};
  };
}

Result<IoConfig> read_io(const Context& context, const PbValue& value, bool input) {
  IoConfig io;
  std::vector<Known> known{
      {"name", text(context, io.name)},
      {"data_type", data_type(context, io.type)},
      {"dims", integer<std::int64_t>(context, -1, INT64_MAX,
                                     [&io](std::int64_t d) { io.dims.push_back(d); })},
      {"reshape", unsupported(context, "give the shape that the model has")},
      {"is_shape_tensor", ignored(context)}};
  if (input) {
    known.push_back({"format", ignored(context)});
    known.push_back({"allow_ragged_batch", ignored(context)});
    known.push_back({"optional", boolean(context, [&io](bool on) { io.optional = on; })});
  } else {
    known.push_back({"label_filename", text(context, io.label_filename)});
  }
  INFINIEDGE_TRY(each(context, value.fields, input ? "input" : "output", known));
  if (io.name.empty()) return context.error(value.at, "a tensor needs a name");
  return io;
}

Result<void> read_group(const Context& context, const PbValue& value, ModelConfig& config) {
  std::string name;
  constexpr std::string_view kKinds[] = {"KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"};
  const Handler kind = [&](const PbField& field) -> Result<void> {
    auto index = enum_of(context, field, kKinds);
    if (!index) return std::move(index).error();
    if (*index == 1) context.warn(field.at, "no GPU here: the instances run on the CPU");
    return {};
  };
  return each(context, value.fields, "instance_group",
              {{"name", text(context, name)},
               {"count", integer<int>(context, 1, 64, [&](int n) { config.instances = n; })},
               {"kind", kind},
               {"gpus", ignored(context)}});
}

Result<void> read_policy(const Context& context, const PbValue& value, VersionPolicy& policy) {
  const auto latest = [&](const PbValue& inner) -> Result<void> {
    policy.kind = VersionPolicy::Kind::Latest;
    return each(context, inner.fields, "latest",
                {{"num_versions", integer<std::uint32_t>(context, 1, 1 << 20, [&](std::uint32_t n) {
                    policy.latest = n;
                  })}});
  };
  const auto all = [&](const PbValue& inner) -> Result<void> {
    policy.kind = VersionPolicy::Kind::All;
    return each(context, inner.fields, "all", {});
  };
  const auto specific = [&](const PbValue& inner) -> Result<void> {
    policy.kind = VersionPolicy::Kind::Specific;
    return each(context, inner.fields, "specific",
                {{"versions", integer<std::int64_t>(context, 1, INT64_MAX, [&](std::int64_t v) {
                    policy.specific.push_back(v);
                  })}});
  };
  return each(context, value.fields, "version_policy",
              {{"latest", message(context, latest)},
               {"all", message(context, all)},
               {"specific", message(context, specific)}});
}

Result<void> read_queue_policy(const Context& context, const PbValue& value, Batching& batching) {
  constexpr std::string_view kActions[] = {"REJECT", "DELAY"};
  const Handler action = [&](const PbField& field) -> Result<void> {
    auto index = enum_of(context, field, kActions);
    if (!index) return std::move(index).error();
    if (*index == 1) context.warn(field.at, "DELAY is treated as REJECT");
    return {};
  };
  return each(context, value.fields, "queue policy",
              {{"timeout_action", action},
               {"default_timeout_microseconds",
                integer<std::int64_t>(context, 0, INT64_MAX,
                                      [&](std::int64_t us) { batching.timeout = Micros{us}; })},
               {"allow_timeout_override",
                boolean(context, [&](bool on) { batching.allow_timeout_override = on; })},
               {"max_queue_size", integer<std::size_t>(context, 0, 1 << 20, [&](std::size_t n) {
                  batching.max_queue = n;
                })}});
}

Result<void> read_batching(const Context& context, const PbValue& value, Batching& batching) {
  batching.enabled = batching.declared = true;
  return each(
      context, value.fields, "dynamic_batching",
      {{"preferred_batch_size",
        integer<std::int32_t>(context, 1, 1 << 20,
                              [&](std::int32_t n) { batching.preferred.push_back(n); })},
       {"max_queue_delay_microseconds",
        integer<std::int64_t>(context, 0, 3'600'000'000,
                              [&](std::int64_t us) { batching.max_delay = Micros{us}; })},
       {"preserve_ordering", boolean(context, [&](bool on) { batching.preserve_order = on; })},
       {"default_queue_policy",
        message(context,
                [&](const PbValue& inner) { return read_queue_policy(context, inner, batching); })},
       {"priority_levels", ignored(context)},
       {"default_priority_level", ignored(context)},
       {"priority_queue_policy", ignored(context)}});
}

Result<void> read_parameter(const Context& context, const PbValue& value, ModelConfig& config) {
  std::string key, given;
  const auto inner = [&](const PbValue& v) {
    return each(context, v.fields, "parameter value", {{"string_value", text(context, given)}});
  };
  INFINIEDGE_TRY(each(context, value.fields, "parameters",
                      {{"key", text(context, key)}, {"value", message(context, inner)}}));
  config.parameters[key] = given;
  if (key != "intra_op_thread_count") return {};
  const auto [stop, error] =
      std::from_chars(given.data(), given.data() + given.size(), config.threads);
  if (error != std::errc{} || stop != given.data() + given.size() || config.threads < 0 ||
      config.threads > 256) {
    return context.error(value.at, "intra_op_thread_count takes a number from 0 to 256");
  }
  config.threads = std::max(1, config.threads);
  return {};
}

std::vector<Known> top_level(const Context& context, ModelConfig& config) {
  const auto io = [&context](std::vector<IoConfig>& side, bool input) {
    return message(context, [&context, &side, input](const PbValue& v) -> Result<void> {
      auto read = read_io(context, v, input);
      if (!read) return std::move(read).error();
      side.push_back(std::move(*read));
      return {};
    });
  };
  const auto sub = [&](auto read, auto& target) {
    return message(
        context, [&context, read, &target](const PbValue& v) { return read(context, v, target); });
  };
  return {
      {"name", text(context, config.name)},
      {"platform", text(context, config.platform)},
      {"backend", text(context, config.backend)},
      {"max_batch_size", integer<std::int32_t>(context, 0, 1 << 20,
                                               [&](std::int32_t n) { config.max_batch_size = n; })},
      {"input", io(config.inputs, true)},
      {"output", io(config.outputs, false)},
      {"instance_group", sub(read_group, config)},
      {"version_policy", sub(read_policy, config.versions)},
      {"default_model_filename", text(context, config.default_model_filename)},
      {"dynamic_batching", sub(read_batching, config.batching)},
      {"parameters", sub(read_parameter, config)},
      {"runtime", ignored(context)},
      {"metric_tags", ignored(context)},
      {"optimization", ignored(context)},
      {"model_warmup", ignored(context)},
      {"model_transaction_policy", ignored(context)},
      {"response_cache", ignored(context)},
      {"sequence_batching", unsupported(context, "this build serves no sequences")},
      {"ensemble_scheduling", unsupported(context, "this build serves no ensembles")}};
}

}  // namespace

Result<std::string> backend_of(std::string_view name) {
  if (name == "onnxruntime" || name == "onnxruntime_onnx") return std::string{"onnxruntime"};
  return Error{Code::Unsupported,
               fmt::format("backend or platform '{}' cannot be served here: export the model as "
                           "ONNX (model.onnx)",
                           name)};
}

Result<void> read_config_pbtxt(std::string_view text, const std::string& file, ModelConfig& config,
                               std::vector<std::string>& warnings) {
  auto fields = parse_text_format(text);
  if (!fields) return Error{Code::Invalid, file + ":" + fields.error().message()};
  const Context context{file, warnings};
  return each(context, *fields, "the model configuration", top_level(context, config));
}

}  // namespace infiniedge::model
