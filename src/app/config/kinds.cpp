// SPDX-License-Identifier: Apache-2.0
// Every field of every resource. docs/reference/resources.md and `infiniedge explain` print it.
#include <algorithm>
#include <array>
#include <cctype>

#include "app/config/schema.hpp"

namespace infiniedge::app::config {
namespace {

using enum FieldType;
using Names = std::string_view[];

constexpr std::string_view kLanes[] = {"normal", "alarm", "high", "bulk"};
constexpr std::string_view kClasses[] = {"public", "internal", "sensitive", "restricted"};
constexpr std::string_view kDedupe[] = {"none", "last"};
constexpr std::string_view kPointTypes[] = {"float64", "bool",   "int16",  "int32",
                                            "int64",   "uint16", "uint32", "uint64",
                                            "float32", "string", "bytes"};
constexpr std::string_view kEffects[] = {"dangerous", "costly", "read", "reversible"};
constexpr std::string_view kOnError[] = {"null", "skip", "dead_letter", "stop"};
constexpr std::string_view kSeverities[] = {"warning", "info", "critical"};
constexpr std::string_view kTasks[] = {"classify",   "regress", "detect",  "anomaly",
                                       "transcribe", "embed",   "generate"};
constexpr std::string_view kRequire[] = {"any", "cpu", "gpu", "npu"};
constexpr std::string_view kOffline[] = {"answer", "abstain"};
constexpr std::string_view kUplinkKinds[] = {"hub", "mqtt", "http", "sql", "s3", "kafka", "nats"};
constexpr std::string_view kOrders[] = {"ordered", "live_first"};

constexpr std::string_view kEveryAliases[] = {"interval", "period", "poll_interval", "sampling"};
constexpr std::string_view kAddressAliases[] = {"url", "host", "endpoint", "topic", "register"};
constexpr std::string_view kConnectorAliases[] = {"protocol", "driver", "type"};
constexpr std::string_view kSqlAliases[] = {"query", "select", "rule"};
constexpr std::string_view kSourceAliases[] = {"path", "file", "model"};
constexpr std::string_view kPointsAliases[] = {"tags", "registers", "signals", "metrics"};
constexpr std::string_view kThresholdAliases[] = {"score", "confidence_threshold"};

constexpr FieldSpec kLabel[] = {{.name = "class",
                                 .type = Enum,
                                 .doc = "How sensitive the data is.",
                                 .fallback = "restricted",
                                 .values = kClasses},
                                {.name = "jurisdictions",
                                 .type = Text,
                                 .doc = "Where the data may go.",
                                 .list = true,
                                 .later = true},
                                {.name = "purposes",
                                 .type = Text,
                                 .doc = "What the data may be used for.",
                                 .list = true,
                                 .later = true},
                                {.name = "subject",
                                 .type = Text,
                                 .doc = "Field that names the person the row is about.",
                                 .later = true},
                                {.name = "retain",
                                 .type = Duration,
                                 .doc = "Longest time that a copy may be kept.",
                                 .later = true}};

constexpr FieldSpec kCredentials[] = {
    {.name = "username", .type = Text, .doc = "User name."},
    {.name = "password", .type = Secret, .doc = "Password."},
    {.name = "token", .type = Secret, .doc = "Bearer token."},
    {.name = "key", .type = Secret, .doc = "Private key (PEM) for a client certificate."},
    {.name = "cert", .type = Text, .doc = "Path of the client certificate (PEM)."},
    {.name = "ca",
     .type = Text,
     .doc = "Path of the CA certificate (PEM) that must have signed the server."}};

constexpr FieldSpec kRoute[] = {
    {.name = "when",
     .type = Expression,
     .doc = "Rows for which this holds; all if absent.",
     .later = true},
    {.name = "do",
     .type = Any,
     .doc = "What happens: keep, {send: UPLINK}, discard.",
     .required = true},
    {.name = "lane", .type = Enum, .doc = "Lane of these rows.", .later = true, .values = kLanes}};

#define INFINIEDGE_ROW_FIELDS(keep_default)                                                    \
  {.name = "lane",                                                                             \
   .type = Enum,                                                                               \
   .doc = "How urgent forwarding is.",                                                         \
   .fallback = "normal",                                                                       \
   .values = kLanes},                                                                          \
      {.name = "label", .type = Object, .doc = "Sovereignty label.", .fields = kLabel},        \
      {.name = "lateness",                                                                     \
       .type = Duration,                                                                       \
       .doc = "How long the watermark waits for late rows.",                                   \
       .fallback = "5s"},                                                                      \
      {.name = "keep",                                                                         \
       .type = Duration,                                                                       \
       .doc = "How long rows stay in the store.",                                              \
       .fallback = keep_default},                                                              \
      {.name = "rollups",                                                                      \
       .type = Text,                                                                           \
       .doc = "Summaries kept beside the rows: 1m, 1h, 1d.",                                   \
       .list = true,                                                                           \
       .later = true},                                                                         \
      {.name = "dedupe",                                                                       \
       .type = Enum,                                                                           \
       .doc = "Keep only the last row of a device and time.",                                  \
       .fallback = "none",                                                                     \
       .later = true,                                                                          \
       .values = kDedupe},                                                                     \
  {                                                                                            \
    .name = "route", .type = Object, .doc = "What happens to each row; the first match wins.", \
    .list = true, .fields = kRoute                                                             \
  }

#define INFINIEDGE_COMMON_FIELDS                                                                   \
  {.name = "paused",                                                                               \
   .type = Bool,                                                                                   \
   .doc = "Keep the resource, but do not run it.",                                                 \
   .fallback = "false"},                                                                           \
  {                                                                                                \
    .name = "nodeSelector", .type = Map, .doc = "Nodes on which the resource runs.", .later = true \
  }

constexpr FieldSpec kWrite[] = {
    {.name = "min", .type = Number, .doc = "Least value."},
    {.name = "max", .type = Number, .doc = "Greatest value."},
    {.name = "step", .type = Number, .doc = "Values are multiples of this."},
    {.name = "enum", .type = Text, .doc = "The only values allowed.", .list = true},
    {.name = "effect",
     .type = Enum,
     .doc = "What a write does, for people and agents.",
     .fallback = "dangerous",
     .values = kEffects},
    {.name = "idempotent",
     .type = Bool,
     .doc = "Writing twice is the same as once.",
     .fallback = "false"},
    {.name = "undo",
     .type = Text,
     .doc = "How to take a write back; `previous` writes the value before."},
    {.name = "max_rate", .type = Number, .doc = "Greatest change, units a second.", .later = true},
    {.name = "min_interval",
     .type = Duration,
     .doc = "Shortest time between two writes.",
     .later = true},
    {.name = "interlocks",
     .type = Expression,
     .doc = "Conditions that must hold.",
     .list = true,
     .later = true},
    {.name = "readback", .type = Bool, .doc = "Read the value back after writing.", .later = true},
    {.name = "confirm", .type = Text, .doc = "Who must confirm.", .later = true}};

constexpr FieldSpec kPoint[] = {
    {.name = "name",
     .type = Text,
     .doc = "Name of the value, as in SQL: [a-z][a-z0-9_]*.",
     .required = true},
    {.name = "address",
     .type = Text,
     .doc = "Where the device has it; the form depends on the connector.",
     .required = true,
     .aliases = kAddressAliases},
    {.name = "type",
     .type = Enum,
     .doc = "Type on the wire.",
     .fallback = "float64",
     .values = kPointTypes},
    {.name = "scale", .type = Number, .doc = "value = raw * scale + offset.", .fallback = "1"},
    {.name = "offset", .type = Number, .doc = "Added after scaling.", .fallback = "0"},
    {.name = "unit", .type = Text, .doc = "Unit in UCUM, for example Cel or mm/s."},
    {.name = "resolution",
     .type = Number,
     .doc = "Smallest step worth storing: 1, 2 or 5 times a power of ten."},
    {.name = "every",
     .type = Duration,
     .doc = "Own period; the device's if absent.",
     .aliases = kEveryAliases},
    {.name = "deadband",
     .type = Number,
     .doc = "Smaller changes are not reported.",
     .fallback = "0"},
    {.name = "range", .type = Range, .doc = "Values outside are bad."},
    {.name = "options", .type = PointOptions, .doc = "Options of the connector for this point."},
    {.name = "label",
     .type = Object,
     .doc = "Sovereignty label of this point.",
     .later = true,
     .fields = kLabel},
    {.name = "write",
     .type = Object,
     .doc = "What the point may be set to; absent: read-only.",
     .fields = kWrite}};

constexpr FieldSpec kDevice[] = {
    INFINIEDGE_COMMON_FIELDS,
    {.name = "connector",
     .type = Enum,
     .doc = "How to talk to the device.",
     .required = true,
     .aliases = kConnectorAliases},
    {.name = "address",
     .type = Text,
     .doc = "Where the device is, as a URL.",
     .required = true,
     .aliases = kAddressAliases},
    {.name = "credentials", .type = Object, .doc = "How to log in.", .fields = kCredentials},
    {.name = "options", .type = Options, .doc = "Options of the connector."},
    {.name = "every",
     .type = Duration,
     .doc = "How often to read; 0s: on arrival.",
     .fallback = "1s",
     .aliases = kEveryAliases},
    {.name = "timeout",
     .type = Duration,
     .doc = "How long to wait for an answer.",
     .fallback = "3s"},
    {.name = "stream",
     .type = Text,
     .doc =
         "Stream that the rows join; devices of equal points may share one. Its own by default."},
    INFINIEDGE_ROW_FIELDS("7d"),
    {.name = "points",
     .type = Object,
     .doc = "The values that the device has.",
     .required = true,
     .list = true,
     .fields = kPoint,
     .aliases = kPointsAliases}};

constexpr FieldSpec kActWrite[] = {
    {.name = "device",
     .type = Reference,
     .doc = "Device to write to.",
     .required = true,
     .kind = "Device"},
    {.name = "point", .type = Text, .doc = "Point of the device.", .required = true},
    {.name = "value",
     .type = Expression,
     .doc = "Value, computed from the row.",
     .required = true}};

constexpr FieldSpec kActAlarm[] = {{.name = "severity",
                                    .type = Enum,
                                    .doc = "How bad it is.",
                                    .fallback = "warning",
                                    .values = kSeverities},
                                   {.name = "text",
                                    .type = Text,
                                    .doc = "What people read; {column} inserts a value.",
                                    .required = true}};

constexpr FieldSpec kAct[] = {
    {.name = "when",
     .type = Expression,
     .doc = "Condition over the stream's columns.",
     .required = true},
    {.name = "hold",
     .type = Duration,
     .doc = "How long the condition must hold first.",
     .fallback = "0s"},
    {.name = "cooldown",
     .type = Duration,
     .doc = "Shortest time between two firings.",
     .fallback = "0s"},
    {.name = "write", .type = Object, .doc = "Write a device.", .fields = kActWrite},
    {.name = "call", .type = Any, .doc = "Call a function.", .later = true},
    {.name = "alarm", .type = Object, .doc = "Raise an alarm.", .fields = kActAlarm}};

constexpr FieldSpec kStream[] = {INFINIEDGE_COMMON_FIELDS,
                                 {.name = "sql",
                                  .type = Sql,
                                  .doc = "The rule: one select; its rows form this stream.",
                                  .required = true,
                                  .aliases = kSqlAliases},
                                 {.name = "on_error",
                                  .type = Enum,
                                  .doc = "What happens to a row that cannot be computed.",
                                  .fallback = "null",
                                  .values = kOnError},
                                 INFINIEDGE_ROW_FIELDS("30d"),
                                 {.name = "act",
                                  .type = Object,
                                  .doc = "What to do when a row meets a condition.",
                                  .list = true,
                                  .fields = kAct}};

constexpr FieldSpec kBudget[] = {{.name = "share",
                                  .type = Number,
                                  .doc = "Share of requests that may go to the teacher.",
                                  .fallback = "0.05",
                                  .min = 0,
                                  .max = 1},
                                 {.name = "burst",
                                  .type = Number,
                                  .doc = "Most requests at once.",
                                  .fallback = "50",
                                  .min = 1,
                                  .max = 1e6},
                                 {.name = "bootstrap",
                                  .type = Integer,
                                  .doc = "Groups that are free while uncertified.",
                                  .later = true}};

constexpr FieldSpec kCascade[] = {
    {.name = "teacher",
     .type = Text,
     .doc = "Model to ask when unsure: a Model, hub:NAME or https://HOST/v2/models/NAME.",
     .required = true},
    {.name = "threshold",
     .type = Number,
     .doc = "Calibrated score from which the student's answer stands.",
     .fallback = "0.8",
     .aliases = kThresholdAliases,
     .min = 0,
     .max = 1},
    {.name = "timeout",
     .type = Duration,
     .doc = "Longest wait for the teacher.",
     .fallback = "800ms"},
    {.name = "budget", .type = Object, .doc = "How much may be asked.", .fields = kBudget},
    {.name = "offline",
     .type = Enum,
     .doc = "Without a teacher: the student's answer, or none.",
     .fallback = "answer",
     .values = kOffline},
    {.name = "risk", .type = Number, .doc = "Certified error bound.", .later = true},
    {.name = "confidence", .type = Number, .doc = "Confidence of the certificate.", .later = true},
    {.name = "audit",
     .type = Number,
     .doc = "Share of sure answers that are checked.",
     .later = true}};

constexpr FieldSpec kModel[] = {
    INFINIEDGE_COMMON_FIELDS,
    {.name = "source",
     .type = Text,
     .doc = "Where the model is: file:PATH of a .onnx file or of a model directory.",
     .required = true,
     .aliases = kSourceAliases},
    {.name = "sha256", .type = Text, .doc = "Checksum of the source; required for https:."},
    {.name = "task",
     .type = Enum,
     .doc = "What the model does.",
     .required = true,
     .values = kTasks},
    {.name = "classes", .type = Text, .doc = "Names of the outputs, in order.", .list = true},
    {.name = "serve", .type = Map, .doc = "Keys of model.yaml: max_batch, threads, …"},
    {.name = "require",
     .type = Enum,
     .doc = "Where it must run; not met: not ready.",
     .fallback = "any",
     .values = kRequire},
    {.name = "cascade",
     .type = Object,
     .doc = "Ask a bigger model when unsure.",
     .fields = kCascade},
    {.name = "distil",
     .type = Any,
     .doc = "Train a better student from the teacher's answers.",
     .later = true}};

constexpr FieldSpec kUplinkOptions[] = {
    {.name = "fingerprint", .type = Text, .doc = "SHA-256 of the hub's certificate, in hex."},
    {.name = "order",
     .type = Enum,
     .doc = "Whether live rows may overtake the backlog.",
     .fallback = "ordered",
     .values = kOrders}};

constexpr FieldSpec kUplink[] = {
    INFINIEDGE_COMMON_FIELDS,
    {.name = "to",
     .type = Enum,
     .doc = "Kind of the far side.",
     .required = true,
     .values = kUplinkKinds},
    {.name = "address",
     .type = Text,
     .doc = "Where the far side is, as a URL.",
     .required = true,
     .aliases = kAddressAliases},
    {.name = "credentials", .type = Object, .doc = "How to log in.", .fields = kCredentials},
    {.name = "options",
     .type = Object,
     .doc = "Options of the far side.",
     .fields = kUplinkOptions},
    {.name = "rate", .type = ByteSize, .doc = "Most bytes a second.", .later = true},
    {.name = "windows", .type = Any, .doc = "When which lanes may send.", .later = true},
    {.name = "encoding", .type = Any, .doc = "Format of messages.", .later = true},
    {.name = "batch", .type = Any, .doc = "Size of messages.", .later = true}};

constexpr KindSpec kKinds[] = {
    {"Device", "devices", "A device, its values and how to read them.", kDevice},
    {"Model", "models", "A model that rules and clients can ask.", kModel},
    {"Stream", "streams", "A rule; its rows form a stream.", kStream},
    {"Uplink", "uplinks", "A far side that rows are forwarded to.", kUplink},
    {"Function", "functions", "A function in the mesh.", {}, true},
    {"Policy", "policies", "Labels, exits and access.", {}, true},
    {"Agent", "agents", "An agent that may use devices and data.", {}, true},
    {"Benchmark", "benchmarks", "A benchmark.", {}, true}};

}  // namespace

std::span<const KindSpec> kinds() { return kKinds; }

const KindSpec* find_kind(std::string_view name) {
  std::string lower;
  for (const char c : name)
    lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  for (const auto& kind : kKinds) {
    std::string own{kind.kind};
    own[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(own[0])));
    if (lower == own || lower == kind.plural) return &kind;
  }
  return nullptr;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> out;
  for (const auto& kind : kKinds) out.emplace_back(kind.plural);
  return out;
}

}  // namespace infiniedge::app::config
