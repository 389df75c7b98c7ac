// SPDX-License-Identifier: Apache-2.0
// Names and numbers of the messages that describe. Those of ModelConfig are the part that clients
// read and the configuration of a model can say.
#include "api/inference/grpc/json_wire.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

using Map = Member::Map;

constexpr Member text(std::string_view name, std::uint32_t number) {
  return {name, number, Kind::Text};
}
constexpr Member integer(std::string_view name, std::uint32_t number) {
  return {name, number, Kind::Integer};
}
constexpr Member flag(std::string_view name, std::uint32_t number) {
  return {name, number, Kind::Bool};
}
constexpr Member real(std::string_view name, std::uint32_t number) {
  return {name, number, Kind::Float};
}
constexpr Member choice(std::string_view name, std::uint32_t number,
                        std::span<const std::string_view> values) {
  return {name, number, Kind::Enum, {}, values};
}
constexpr Member message(std::string_view name, std::uint32_t number, Schema members) {
  return {name, number, Kind::Message, members};
}
constexpr Member text_map(std::string_view name, std::uint32_t number) {
  return {name, number, Kind::Text, {}, {}, Map::TextKey};
}
constexpr Member message_map(std::string_view name, std::uint32_t number, Schema members,
                             Map key = Map::TextKey) {
  return {name, number, Kind::Message, members, {}, key};
}

// --- Server, model, index --------------------------------------------------------------------

constexpr Member kServer[] = {text("name", 1), text("version", 2), text("extensions", 3)};
constexpr Member kTensorMetadata[] = {text("name", 1), text("datatype", 2), integer("shape", 3)};
constexpr Member kModel[] = {text("name", 1),
                             text("versions", 2),
                             text("platform", 3),
                             message("inputs", 4, kTensorMetadata),
                             message("outputs", 5, kTensorMetadata),
                             text_map("properties", 6)};
constexpr Member kIndex[] = {text("name", 1), text("version", 2), text("state", 3),
                             text("reason", 4)};

// --- Statistics ------------------------------------------------------------------------------

constexpr Member kDuration[] = {integer("count", 1), integer("ns", 2)};
constexpr Member kInferStatistics[] = {
    message("success", 1, kDuration),       message("fail", 2, kDuration),
    message("queue", 3, kDuration),         message("compute_input", 4, kDuration),
    message("compute_infer", 5, kDuration), message("compute_output", 6, kDuration),
    message("cache_hit", 7, kDuration),     message("cache_miss", 8, kDuration)};
constexpr Member kResponseStatistics[] = {
    message("compute_infer", 1, kDuration),  message("compute_output", 2, kDuration),
    message("success", 3, kDuration),        message("fail", 4, kDuration),
    message("empty_response", 5, kDuration), message("cancel", 6, kDuration)};
constexpr Member kBatchStatistics[] = {
    integer("batch_size", 1), message("compute_input", 2, kDuration),
    message("compute_infer", 3, kDuration), message("compute_output", 4, kDuration)};
constexpr Member kMemoryUsage[] = {text("type", 1), integer("id", 2), integer("byte_size", 3)};
constexpr Member kStatistics[] = {text("name", 1),
                                  text("version", 2),
                                  integer("last_inference", 3),
                                  integer("inference_count", 4),
                                  integer("execution_count", 5),
                                  message("inference_stats", 6, kInferStatistics),
                                  message("batch_stats", 7, kBatchStatistics),
                                  message("memory_usage", 8, kMemoryUsage),
                                  message_map("response_stats", 9, kResponseStatistics)};
constexpr Member kAllStatistics[] = {message("model_stats", 1, kStatistics)};

// --- ModelConfig -----------------------------------------------------------------------------

constexpr std::string_view kTypes[] = {"TYPE_INVALID", "TYPE_BOOL",   "TYPE_UINT8", "TYPE_UINT16",
                                       "TYPE_UINT32",  "TYPE_UINT64", "TYPE_INT8",  "TYPE_INT16",
                                       "TYPE_INT32",   "TYPE_INT64",  "TYPE_FP16",  "TYPE_FP32",
                                       "TYPE_FP64",    "TYPE_STRING", "TYPE_BF16"};
constexpr std::string_view kFormats[] = {"FORMAT_NONE", "FORMAT_NHWC", "FORMAT_NCHW"};
constexpr std::string_view kKinds[] = {"KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"};
constexpr std::string_view kPriorities[] = {"PRIORITY_DEFAULT", "PRIORITY_MAX", "PRIORITY_MIN"};
constexpr std::string_view kActions[] = {"REJECT", "DELAY"};
constexpr std::string_view kControls[] = {"CONTROL_SEQUENCE_START", "CONTROL_SEQUENCE_READY",
                                          "CONTROL_SEQUENCE_END", "CONTROL_SEQUENCE_CORRID"};

constexpr Member kLatest[] = {integer("num_versions", 1)};
constexpr Member kSpecific[] = {integer("versions", 1)};
constexpr Member kPolicy[] = {message("latest", 1, kLatest), message("all", 2, {}),
                              message("specific", 3, kSpecific)};
constexpr Member kReshape[] = {integer("shape", 1)};
constexpr Member kInput[] = {text("name", 1),
                             choice("data_type", 2, kTypes),
                             choice("format", 3, kFormats),
                             integer("dims", 4),
                             message("reshape", 5, kReshape),
                             flag("is_shape_tensor", 6),
                             flag("allow_ragged_batch", 7),
                             flag("optional", 8)};
constexpr Member kOutput[] = {
    text("name", 1),           choice("data_type", 2, kTypes),  integer("dims", 3),
    text("label_filename", 4), message("reshape", 5, kReshape), flag("is_shape_tensor", 6)};
constexpr Member kGroup[] = {text("name", 1), integer("count", 2), integer("gpus", 3),
                             choice("kind", 4, kKinds)};
constexpr Member kGraph[] = {integer("level", 1)};
constexpr Member kAccelerator[] = {text("name", 1), text_map("parameters", 2)};
constexpr Member kAccelerators[] = {message("gpu_execution_accelerator", 1, kAccelerator),
                                    message("cpu_execution_accelerator", 2, kAccelerator)};
constexpr Member kOptimization[] = {message("graph", 1, kGraph), choice("priority", 2, kPriorities),
                                    message("execution_accelerators", 4, kAccelerators)};
constexpr Member kQueuePolicy[] = {choice("timeout_action", 1, kActions),
                                   integer("default_timeout_microseconds", 2),
                                   flag("allow_timeout_override", 3), integer("max_queue_size", 4)};
constexpr Member kDynamicBatching[] = {
    integer("preferred_batch_size", 1),
    integer("max_queue_delay_microseconds", 2),
    flag("preserve_ordering", 3),
    integer("priority_levels", 4),
    integer("default_priority_level", 5),
    message("default_queue_policy", 6, kQueuePolicy),
    message_map("priority_queue_policy", 7, kQueuePolicy, Map::IntegerKey)};

constexpr Member kControl[] = {choice("kind", 1, kControls), integer("int32_false_true", 2),
                               real("fp32_false_true", 3), choice("data_type", 4, kTypes),
                               flag("bool_false_true", 5)};
constexpr Member kControlInput[] = {text("name", 1), message("control", 2, kControl)};
constexpr Member kDirect[] = {integer("max_queue_delay_microseconds", 1),
                              real("minimum_slot_utilization", 2)};
constexpr Member kOldest[] = {
    integer("max_candidate_sequences", 1), integer("preferred_batch_size", 2),
    integer("max_queue_delay_microseconds", 3), flag("preserve_ordering", 4)};
constexpr Member kInitialState[] = {choice("data_type", 1, kTypes), integer("dims", 2),
                                    flag("zero_data", 3), text("data_file", 4), text("name", 5)};
constexpr Member kState[] = {text("input_name", 1), text("output_name", 2),
                             choice("data_type", 3, kTypes), integer("dims", 4),
                             message("initial_state", 5, kInitialState)};
constexpr Member kSequenceBatching[] = {
    integer("max_sequence_idle_microseconds", 1), message("control_input", 2, kControlInput),
    message("direct", 3, kDirect), message("oldest", 4, kOldest), message("state", 5, kState)};

constexpr Member kStep[] = {text("model_name", 1), integer("model_version", 2),
                            text_map("input_map", 3), text_map("output_map", 4)};
constexpr Member kEnsemble[] = {message("step", 1, kStep), integer("max_inflight_requests", 2)};
constexpr Member kParameter[] = {text("string_value", 1)};
constexpr Member kWarmupInput[] = {choice("data_type", 1, kTypes), integer("dims", 2),
                                   flag("zero_data", 3), flag("random_data", 4),
                                   text("input_data_file", 5)};
constexpr Member kWarmup[] = {text("name", 1), integer("batch_size", 2),
                              message_map("inputs", 3, kWarmupInput), integer("count", 4)};
constexpr Member kTransaction[] = {flag("decoupled", 1)};
constexpr Member kCache[] = {flag("enable", 1)};

constexpr Member kConfig[] = {text("name", 1),
                              text("platform", 2),
                              message("version_policy", 3, kPolicy),
                              integer("max_batch_size", 4),
                              message("input", 5, kInput),
                              message("output", 6, kOutput),
                              message("instance_group", 7, kGroup),
                              text("default_model_filename", 8),
                              text_map("metric_tags", 10),
                              message("dynamic_batching", 11, kDynamicBatching),
                              message("optimization", 12, kOptimization),
                              message("sequence_batching", 13, kSequenceBatching),
                              message_map("parameters", 14, kParameter),
                              message("ensemble_scheduling", 15, kEnsemble),
                              message("model_warmup", 16, kWarmup),
                              text("backend", 17),
                              message("model_transaction_policy", 19, kTransaction),
                              message("response_cache", 24, kCache),
                              text("runtime", 25)};

}  // namespace

const Schema kServerMetadata = kServer;
const Schema kModelMetadata = kModel;
const Schema kModelConfig = kConfig;
const Schema kModelStatistics = kAllStatistics;
const Schema kModelIndex = kIndex;

}  // namespace infiniedge::api::inference::grpc
