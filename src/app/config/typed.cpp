// SPDX-License-Identifier: Apache-2.0
#include "app/config/typed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "app/config/scalar.hpp"
#include "base/suggest.hpp"

namespace infiniedge::app::config {
namespace {

using base::yaml::Mark;
using base::yaml::Node;

std::string text_of(const Node& node, std::string_view key, std::string_view fallback = "") {
  const auto* found = node.find(key);
  return found == nullptr || found->is_null() ? std::string{fallback} : found->text;
}

Micros duration_of(const Node& node, std::string_view key, Micros fallback) {
  const auto* found = node.find(key);
  if (found == nullptr) return fallback;
  return parse_duration(found->text).value_or(fallback);
}

std::optional<double> number_of(const Node& node, std::string_view key) {
  const auto* found = node.find(key);
  return found == nullptr ? std::nullopt : parse_number(found->text);
}

std::vector<std::string> texts_of(const Node& node, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* found = node.find(key)) {
    for (const auto& item : found->items) out.push_back(item.text);
  }
  return out;
}

bool paused(const Node& spec) { return text_of(spec, "paused") == "true"; }

/// A step 1, 2 or 5 times a power of ten, at most nine decimals.
std::optional<Resolution> resolution_from(double step) {
  for (std::uint8_t scale = 0; scale <= 9; ++scale) {
    for (const std::uint8_t mantissa : {1, 2, 5}) {
      const double candidate = mantissa * std::pow(10.0, -scale);
      if (std::abs(step - candidate) <= candidate * 1e-9) return Resolution{mantissa, scale};
    }
  }
  return std::nullopt;
}

Type stored_type(std::string_view wire, bool scaled) {
  if (wire == "bool") return Type::Bool;
  if (wire == "string") return Type::String;
  if (wire == "bytes") return Type::Bytes;
  const bool whole = wire.starts_with("int") || wire.starts_with("uint");
  return whole && !scaled ? Type::Int : Type::Float;
}

/// Options as text with the connector's defaults; nested mappings become dotted names.
void flatten(const Node& node, const std::string& prefix, OptionValues& out) {
  for (const auto& entry : node.entries) {
    if (entry.value.kind == Node::Kind::Mapping)
      flatten(entry.value, prefix + entry.key + ".", out);
    else
      out[prefix + entry.key] = entry.value.text;
  }
}

class Converter {
 public:
  Converter(const Resource& resource, const Parts& parts, const Secrets& secrets,
            base::Diagnostics& out)
      : resource_(resource), spec_(resource.spec), parts_(parts), secrets_(secrets), out_(out) {}

  DeviceResource device();
  ModelResource model();
  StreamResource stream();
  UplinkResource uplink();

 private:
  void fault(const Mark& mark, std::string id, std::string message) {
    add(out_, resource_.file, mark, std::move(id), std::move(message));
  }
  OptionValues options(const Node* node, std::span<const Option> known);
  std::string secret(const Node* credentials, std::string_view field);
  RowPolicy rows(Micros keep);
  void route(const Node& item, RowPolicy& policy);
  Point point(const Node& node, std::uint16_t id, const Spec* connector);
  Field field(const Node& node, std::uint16_t id, bool scaled);
  Act act(const Node& node);
  std::string path(const std::string& source);

  const Resource& resource_;
  const Node& spec_;
  const Parts& parts_;
  const Secrets& secrets_;
  base::Diagnostics& out_;
};

OptionValues Converter::options(const Node* node, std::span<const Option> known) {
  OptionValues values;
  for (const auto& option : known) {
    if (!option.fallback.empty()) values[std::string{option.name}] = option.fallback;
  }
  if (node != nullptr) flatten(*node, "", values);
  return values;
}

std::string Converter::secret(const Node* credentials, std::string_view field) {
  const auto* node = credentials == nullptr ? nullptr : credentials->find(field);
  const auto* reference = node == nullptr ? nullptr : node->find("secretRef");
  if (reference == nullptr) return {};
  auto value = secrets_.read(text_of(*reference, "name"), text_of(*reference, "key"));
  if (value) return std::move(*value);
  fault(node->mark, "unknown-reference", value.error().message());
  return {};
}

RowPolicy Converter::rows(Micros keep) {
  RowPolicy policy;
  policy.lane = text_of(spec_, "lane", "normal");
  policy.lateness = duration_of(spec_, "lateness", Seconds{5});
  policy.keep = duration_of(spec_, "keep", keep);
  if (const auto* label = spec_.find("label"))
    policy.label_class = text_of(*label, "class", "restricted");
  const auto* routes = spec_.find("route");
  if (routes != nullptr && routes->items.size() > 1) {
    fault(routes->items[1].mark, "unsupported",
          "several routes are not in this version yet; keep the first");
  }
  if (routes != nullptr && !routes->items.empty()) route(routes->items[0], policy);
  return policy;
}

void Converter::route(const Node& item, RowPolicy& policy) {
  const auto* actions = item.find("do");
  if (actions == nullptr) return;
  if (actions->kind != Node::Kind::Sequence) {
    fault(actions->mark, "wrong-type", "do is a list: [keep, send: UPLINK]");
    return;
  }
  for (const auto& action : actions->items) {
    const auto* send = action.find("send");
    const auto* keep = action.find("keep");
    if (action.kind == Node::Kind::Scalar && action.text == "keep") continue;
    if (send != nullptr)
      policy.uplinks.push_back(send->text);
    else if (keep != nullptr)
      policy.keep = parse_duration(keep->text).value_or(policy.keep);
    else
      fault(action.mark, "unsupported",
            "only keep, {keep: D} and {send: UPLINK} are in this version");
  }
}

Field Converter::field(const Node& node, std::uint16_t id, bool scaled) {
  Field field{.id = id,
              .name = text_of(node, "name"),
              .type = stored_type(text_of(node, "type", "float64"), scaled),
              .unit = text_of(node, "unit")};
  if (const auto* range = node.find("range")) {
    field.min = parse_number(range->items[0].text);
    field.max = parse_number(range->items[1].text);
  }
  if (const auto step = number_of(node, "resolution")) {
    field.resolution = resolution_from(*step);
    if (field.resolution)
      field.type = Type::Decimal;
    else
      fault(node.find("resolution")->mark, "out-of-range",
            "resolution is 1, 2 or 5 times 10^-s with s from 0 to 9");
  }
  return field;
}

Point Converter::point(const Node& node, std::uint16_t id, const Spec* connector) {
  Point point{.name = text_of(node, "name"),
              .address = text_of(node, "address"),
              .type = text_of(node, "type", "float64")};
  point.scale = number_of(node, "scale").value_or(1);
  point.offset = number_of(node, "offset").value_or(0);
  point.every = duration_of(node, "every", Micros{0});
  point.deadband = number_of(node, "deadband").value_or(0);
  point.options = options(node.find("options"),
                          connector ? connector->point_options : std::span<const Option>{});
  point.field = field(node, id, point.scale != 1 || point.offset != 0);
  const auto& name = point.name;
  const bool sql = !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
                   std::all_of(name.begin(), name.end(), [](char c) {
                     return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                   });
  if (!sql)
    fault(node.mark, "out-of-range",
          fmt::format("\"{}\" is not a point's name: use a-z, 0-9 and _", name));
  if (const auto* write = node.find("write")) {
    point.write = WriteRule{.min = number_of(*write, "min"),
                            .max = number_of(*write, "max"),
                            .step = number_of(*write, "step"),
                            .values = texts_of(*write, "enum")};
  }
  return point;
}

std::string Converter::path(const std::string& source) {
  namespace fs = std::filesystem;
  const fs::path given{source};
  if (given.is_absolute() || resource_.file.empty()) return source;
  return (fs::path(resource_.file).parent_path() / given).lexically_normal().string();
}

DeviceResource Converter::device() {
  DeviceResource out{.connector = text_of(spec_, "connector"),
                     .rows = rows(std::chrono::hours{24 * 7}),
                     .paused = paused(spec_)};
  const auto* connector = parts_.connector(out.connector);
  const auto* credentials = spec_.find("credentials");
  auto& device = out.spec;
  device.name = resource_.name;
  device.address = text_of(spec_, "address");
  if (device.address.starts_with("file:"))
    device.address = "file:" + path(device.address.substr(5));
  device.username = credentials == nullptr ? "" : text_of(*credentials, "username");
  device.password = secret(credentials, "password");
  if (const auto token = secret(credentials, "token"); !token.empty()) device.password = token;
  if (credentials != nullptr) {
    device.ca = text_of(*credentials, "ca");
    device.cert = text_of(*credentials, "cert");
  }
  device.every = duration_of(spec_, "every", Seconds{1});
  device.timeout = duration_of(spec_, "timeout", Seconds{3});
  device.options =
      options(spec_.find("options"), connector ? connector->options : std::span<const Option>{});
  Schema schema{.stream = sql_name(text_of(spec_, "stream", resource_.name))};
  std::uint16_t id = kFirstField;
  for (const auto& node : spec_.find("points")->items) {
    device.points.push_back(point(node, id++, connector));
    if (schema.find(device.points.back().name))
      fault(node.mark, "duplicate-key",
            fmt::format("point {} is there twice", device.points.back().name));
    schema.fields.push_back(device.points.back().field);
  }
  device.schema = std::make_shared<const Schema>(std::move(schema));
  return out;
}

ModelResource Converter::model() {
  ModelResource out{.name = resource_.name,
                    .sha256 = text_of(spec_, "sha256"),
                    .task = text_of(spec_, "task"),
                    .require = text_of(spec_, "require", "any"),
                    .classes = texts_of(spec_, "classes"),
                    .paused = paused(spec_)};
  const auto source = text_of(spec_, "source");
  if (source.starts_with("file:"))
    out.path = path(source.substr(5));
  else if (source.starts_with("https:") || source.starts_with("hub:"))
    fault(spec_.find("source")->mark, "unsupported", "only file: sources are in this version");
  else
    out.path = path(source);
  if (const auto* serve = spec_.find("serve")) {
    for (const auto& entry : serve->entries) out.serve[entry.key] = entry.value.text;
  }
  if (const auto* node = spec_.find("cascade")) {
    Cascade cascade{.teacher = text_of(*node, "teacher"),
                    .threshold = number_of(*node, "threshold").value_or(0.8),
                    .timeout = duration_of(*node, "timeout", Millis{800}),
                    .abstain_offline = text_of(*node, "offline") == "abstain"};
    if (const auto* budget = node->find("budget")) {
      cascade.share = number_of(*budget, "share").value_or(0.05);
      cascade.burst = number_of(*budget, "burst").value_or(50);
    }
    out.cascade = cascade;
  }
  return out;
}

Act Converter::act(const Node& node) {
  Act out{.when = text_of(node, "when"),
          .hold = duration_of(node, "hold", Micros{0}),
          .cooldown = duration_of(node, "cooldown", Micros{0}),
          .mark = node.mark};
  if (const auto* when = node.find("when")) out.when_mark = when->mark;
  if (const auto* alarm = node.find("alarm")) {
    out.alarm = Act::Alarm{.severity = text_of(*alarm, "severity", "warning"),
                           .text = text_of(*alarm, "text")};
  }
  if (const auto* write = node.find("write")) {
    out.write = Act::Write{.device = text_of(*write, "device"),
                           .point = text_of(*write, "point"),
                           .value = text_of(*write, "value")};
  }
  return out;
}

StreamResource Converter::stream() {
  StreamResource out{.name = resource_.name,
                     .sql = text_of(spec_, "sql"),
                     .on_error = text_of(spec_, "on_error", "null"),
                     .rows = rows(std::chrono::hours{24 * 30}),
                     .paused = paused(spec_)};
  if (const auto* sql = spec_.find("sql")) out.sql_node = *sql;
  if (const auto* acts = spec_.find("act")) {
    for (const auto& node : acts->items) out.acts.push_back(act(node));
  }
  return out;
}

UplinkResource Converter::uplink() {
  const auto* credentials = spec_.find("credentials");
  const auto* options = spec_.find("options");
  UplinkResource out{.name = resource_.name,
                     .to = text_of(spec_, "to"),
                     .address = text_of(spec_, "address"),
                     .token = secret(credentials, "token"),
                     .order = "ordered",
                     .paused = paused(spec_)};
  if (out.to != "hub")
    fault(spec_.find("to")->mark, "unsupported",
          fmt::format("uplinks to {} are not in this version yet", out.to));
  if (credentials != nullptr) {
    out.ca = text_of(*credentials, "ca");
    out.cert = text_of(*credentials, "cert");
  }
  if (options != nullptr) {
    out.fingerprint = text_of(*options, "fingerprint");
    out.order = text_of(*options, "order", "ordered");
  }
  return out;
}

}  // namespace

std::string sql_name(std::string_view name) {
  std::string out{name};
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

Site to_site(const std::vector<Resource>& resources, const Parts& parts, const Secrets& secrets,
             base::Diagnostics& out) {
  Site site;
  for (const auto& resource : resources) {
    Converter converter(resource, parts, secrets, out);
    if (resource.kind->kind == "Device")
      site.devices.push_back(converter.device());
    else if (resource.kind->kind == "Model")
      site.models.push_back(converter.model());
    else if (resource.kind->kind == "Stream")
      site.streams.push_back(converter.stream());
    else if (resource.kind->kind == "Uplink")
      site.uplinks.push_back(converter.uplink());
  }
  return site;
}

}  // namespace infiniedge::app::config
