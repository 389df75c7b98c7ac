// SPDX-License-Identifier: Apache-2.0
#include "model/config_pbtxt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "model/config_json.hpp"
#include "model/pbtxt_fields.hpp"
#include "model/schedules.hpp"

namespace infiniedge::model {
namespace {

using namespace pbtxt;  // NOLINT: the words this file is written in.

constexpr std::int64_t kMany = 1 << 20;
constexpr std::int64_t kHourUs = 3'600'000'000;

template <class T>
Handler each_into(const Context& context, std::int64_t low, std::int64_t high,
                  std::vector<T>& out) {
  return integer<T>(context, low, high, [&out](T value) { out.push_back(value); });
}

Result<void> read_reshape(const Context& context, const PbValue& value, IoConfig& io) {
  io.reshape.emplace();
  return each(context, value.fields, "reshape",
              {{"shape", each_into<std::int64_t>(context, -1, INT64_MAX, *io.reshape)}});
}

Result<void> read_tensor(const Context& context, const PbValue& value, std::string_view side,
                         std::vector<Known> more, IoConfig& io) {
  std::vector<Known> known{{"name", text(context, io.name)},
                           {"data_type", data_type(context, io.type)},
                           {"dims", each_into<std::int64_t>(context, -1, INT64_MAX, io.dims)},
                           {"reshape", into(context, read_reshape, io)},
                           {"is_shape_tensor", ignored(context)}};
  known.insert(known.end(), more.begin(), more.end());
  INFINIEDGE_TRY(each(context, value.fields, side, known));
  if (io.name.empty()) return context.error(value.at, "a tensor needs a name");
  return {};
}

Result<void> read_input(const Context& context, const PbValue& value, IoConfig& io) {
  return read_tensor(context, value, "input",
                     {{"format", ignored(context)},
                      {"allow_ragged_batch", ignored(context)},
                      {"optional", boolean(context, [&io](bool on) { io.optional = on; })}},
                     io);
}

Result<void> read_output(const Context& context, const PbValue& value, IoConfig& io) {
  return read_tensor(context, value, "output",
                     {{"label_filename", text(context, io.label_filename)}}, io);
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
    const auto set = [&](std::uint32_t n) { policy.latest = n; };
    return each(context, inner.fields, "latest",
                {{"num_versions", integer<std::uint32_t>(context, 1, kMany, set)}});
  };
  const auto all = [&](const PbValue& inner) -> Result<void> {
    policy.kind = VersionPolicy::Kind::All;
    return each(context, inner.fields, "all", {});
  };
  const auto specific = [&](const PbValue& inner) -> Result<void> {
    policy.kind = VersionPolicy::Kind::Specific;
    return each(context, inner.fields, "specific",
                {{"versions", each_into<std::int64_t>(context, 1, INT64_MAX, policy.specific)}});
  };
  return each(context, value.fields, "version_policy",
              {{"latest", message(context, latest)},
               {"all", message(context, all)},
               {"specific", message(context, specific)}});
}

Result<void> read_queue(const Context& context, const PbValue& value, QueuePolicy& queue) {
  constexpr std::string_view kActions[] = {"REJECT", "DELAY"};
  const Handler action = [&](const PbField& field) -> Result<void> {
    auto index = enum_of(context, field, kActions);
    if (!index) return std::move(index).error();
    queue.delay_on_timeout = *index == 1;
    return {};
  };
  return each(context, value.fields, "queue policy",
              {{"timeout_action", action},
               {"default_timeout_microseconds",
                integer<std::int64_t>(context, 0, INT64_MAX / 2,
                                      [&](std::int64_t us) { queue.timeout = Micros{us}; })},
               {"allow_timeout_override",
                boolean(context, [&](bool on) { queue.allow_timeout_override = on; })},
               {"max_queue_size", integer<std::size_t>(context, 0, kMany, [&](std::size_t n) {
                  queue.max_size = n;
                })}});
}

Result<void> read_batching(const Context& context, const PbValue& value, Batching& batching) {
  batching.enabled = batching.declared = true;
  const auto level = [&](const std::string& key, const PbField& field) -> Result<void> {
    std::uint32_t number = 0;
    const auto* end = key.data() + key.size();
    const auto [stop, error] = std::from_chars(key.data(), end, number);
    if (error != std::errc{} || stop != end || number == 0) {
      return context.error(field.at, fmt::format("'{}' is no priority level", key));
    }
    return into(context, read_queue, batching.level_queues[number])(field);
  };
  const auto number = [&](std::uint32_t& out) {
    return integer<std::uint32_t>(context, 0, kMany, [&out](std::uint32_t n) { out = n; });
  };
  INFINIEDGE_TRY(each(
      context, value.fields, "dynamic_batching",
      {{"preferred_batch_size", each_into<std::int32_t>(context, 1, kMany, batching.preferred)},
       {"max_queue_delay_microseconds",
        integer<std::int64_t>(context, 0, kHourUs,
                              [&](std::int64_t us) { batching.max_delay = Micros{us}; })},
       {"preserve_ordering", boolean(context, [&](bool on) { batching.preserve_order = on; })},
       {"default_queue_policy", into(context, read_queue, batching.queue)},
       {"priority_levels", number(batching.priority_levels)},
       {"default_priority_level", number(batching.default_priority)},
       {"priority_queue_policy", map(context, level)}}));
  const bool outside = batching.default_priority > batching.priority_levels ||
                       (!batching.level_queues.empty() &&
                        batching.level_queues.rbegin()->first > batching.priority_levels);
  if (!outside) return {};
  return context.error(value.at, fmt::format("a level above priority_levels, which is {}",
                                             batching.priority_levels));
}

Result<void> read_warmup_input(const Context& context, const PbValue& value, Warmup::Input& out) {
  const auto choose = [&context, &out](Warmup::Data data) {
    return boolean(context, [&out, data](bool on) { out.data = on ? data : Warmup::Data::Zero; });
  };
  INFINIEDGE_TRY(each(context, value.fields, "a warm-up input",
                      {{"data_type", data_type(context, out.type)},
                       {"dims", each_into<std::int64_t>(context, 0, INT32_MAX, out.dims)},
                       {"zero_data", choose(Warmup::Data::Zero)},
                       {"random_data", choose(Warmup::Data::Random)},
                       {"input_data_file", text(context, out.file)}}));
  if (!out.file.empty()) out.data = Warmup::Data::File;
  return {};
}

Result<void> read_warmup(const Context& context, const PbValue& value, Warmup& out) {
  const auto input = [&](const std::string& key, const PbField& field) {
    return into(context, read_warmup_input, out.inputs[key])(field);
  };
  return each(context, value.fields, "model_warmup",
              {{"name", text(context, out.name)},
               {"batch_size", integer<std::int32_t>(context, 0, kMany,
                                                    [&](std::int32_t n) { out.batch_size = n; })},
               {"inputs", map(context, input)},
               {"count", integer<std::uint32_t>(context, 0, 1000,
                                                [&](std::uint32_t n) { out.count = n; })}});
}

Result<void> read_accelerator(const Context& context, const PbValue& value, Accelerator& out) {
  const auto option = [&](const std::string& key, const PbField& field) {
    return text(context, out.options[key])(field);
  };
  return each(context, value.fields, "an accelerator",
              {{"name", text(context, out.name)}, {"parameters", map(context, option)}});
}

Result<void> read_optimization(const Context& context, const PbValue& value, ModelConfig& config) {
  const auto accelerators = [&](const PbValue& inner) {
    const auto add = append(context, read_accelerator, config.accelerators);
    return each(context, inner.fields, "execution_accelerators",
                {{"gpu_execution_accelerator", add}, {"cpu_execution_accelerator", add}});
  };
  return each(context, value.fields, "optimization",
              {{"execution_accelerators", message(context, accelerators)},
               {"graph", ignored(context)},
               {"priority", ignored(context)},
               {"cuda", ignored(context)},
               {"input_pinned_memory", ignored(context)},
               {"output_pinned_memory", ignored(context)},
               {"gather_kernel_buffer_threshold", ignored(context)},
               {"eager_batching", ignored(context)}});
}

Result<void> read_transactions(const Context& context, const PbValue& value, ModelConfig&) {
  const Handler decoupled = [&](const PbField& field) -> Result<void> {
    bool on = false;
    INFINIEDGE_TRY(boolean(context, [&on](bool given) { on = given; })(field));
    if (!on) return {};
    return unsupported(context, "a request has one answer here")(field);
  };
  return each(context, value.fields, "model_transaction_policy", {{"decoupled", decoupled}});
}

Result<void> read_cache(const Context& context, const PbValue& value, ModelConfig& config) {
  return each(context, value.fields, "response_cache",
              {{"enable", boolean(context, [&](bool on) { config.cache.enabled = on; })}});
}

Result<void> read_threads(const Context& context, Position at, const std::string& given,
                          int& threads) {
  const auto* end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, threads);
  if (error != std::errc{} || stop != end || threads < 0 || threads > 256) {
    return context.error(at, "intra_op_thread_count takes a number from 0 to 256");
  }
  threads = std::max(1, threads);
  return {};
}

Handler parameters(const Context& context, ModelConfig& config) {
  return map(context, [&](const std::string& key, const PbField& field) -> Result<void> {
    auto& given = config.parameters[key];
    const auto inner = [&](const PbValue& value) {
      return each(context, value.fields, "parameter value",
                  {{"string_value", text(context, given)}});
    };
    INFINIEDGE_TRY(message(context, inner)(field));
    if (key != "intra_op_thread_count") return {};
    return read_threads(context, field.value.at, given, config.threads);
  });
}

Handler tags(const Context& context, std::map<std::string, std::string>& out) {
  return map(context, [&](const std::string& key, const PbField& field) {
    return text(context, out[key])(field);
  });
}

std::vector<Known> top_level(const Context& context, ModelConfig& config) {
  const auto batch = [&](std::int32_t n) { config.max_batch_size = n; };
  const auto sequences = [&](const PbValue& value) {
    return read_sequences(context, value, config.sequences.emplace());
  };
  return {{"name", text(context, config.name)},
          {"platform", text(context, config.platform)},
          {"backend", text(context, config.backend)},
          {"runtime", text(context, config.runtime)},
          {"max_batch_size", integer<std::int32_t>(context, 0, kMany, batch)},
          {"input", append(context, read_input, config.inputs)},
          {"output", append(context, read_output, config.outputs)},
          {"batch_input", ignored(context)},
          {"batch_output", ignored(context)},
          {"instance_group", into(context, read_group, config)},
          {"version_policy", into(context, read_policy, config.versions)},
          {"default_model_filename", text(context, config.default_model_filename)},
          {"cc_model_filenames", ignored(context)},
          {"dynamic_batching", into(context, read_batching, config.batching)},
          {"parameters", parameters(context, config)},
          {"metric_tags", tags(context, config.metric_tags)},
          {"optimization", into(context, read_optimization, config)},
          {"model_warmup", append(context, read_warmup, config.warmups)},
          {"model_transaction_policy", into(context, read_transactions, config)},
          {"response_cache", into(context, read_cache, config)},
          {"sequence_batching", message(context, sequences)},
          {"ensemble_scheduling", into(context, read_ensemble, config)}};
}

}  // namespace

Result<void> read_config_pbtxt(std::string_view text, const std::string& file, ModelConfig& config,
                               std::vector<std::string>& warnings) {
  auto fields = parse_text_format(text);
  if (!fields) return Error{Code::Invalid, file + ":" + fields.error().message()};
  const Context context{file, warnings, Context::Form::Text};
  return each(context, *fields, "the model configuration", top_level(context, config));
}

Result<void> read_config_json(std::string_view text, const std::string& name, ModelConfig& config,
                              std::vector<std::string>& warnings) {
  auto fields = parse_json_fields(text);
  if (!fields) return Error{Code::Invalid, name + ":" + fields.error().message()};
  const Context context{name, warnings, Context::Form::Json};
  return each(context, *fields, "the model configuration", top_level(context, config));
}

}  // namespace infiniedge::model
