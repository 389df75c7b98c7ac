// SPDX-License-Identifier: Apache-2.0
#include "app/config/canonical.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/json.hpp>

#include "app/config/scalar.hpp"

namespace infiniedge::app::config {
namespace {

namespace json = boost::json;
using base::yaml::Node;

json::value plain_value(const Node& node) {
  if (node.is_null()) return nullptr;
  if (!node.plain) return json::string(node.text);
  if (const auto flag = parse_bool(node.text)) return *flag;
  if (const auto whole = parse_integer(node.text)) return *whole;
  if (const auto number = parse_number(node.text)) return *number;
  return json::string(node.text);
}

/// Where no schema says otherwise: plain scalars by their look.
json::value untyped(const Node& node) {
  if (node.kind == Node::Kind::Sequence) {
    json::array out;
    for (const auto& item : node.items) out.push_back(untyped(item));
    return out;
  }
  if (node.kind == Node::Kind::Mapping) {
    json::object out;
    for (const auto& entry : node.entries) out[entry.key] = untyped(entry.value);
    return out;
  }
  return plain_value(node);
}

json::value typed(const Node& node, const FieldSpec& field);

json::object object(const Node& node, std::span<const FieldSpec> fields) {
  json::object out;
  for (const auto& field : fields) {
    if (const auto* value = node.find(field.name)) out[field.name] = typed(*value, field);
  }
  return out;
}

json::value one(const Node& node, const FieldSpec& field) {
  switch (field.type) {
    case FieldType::Object:
      return object(node, field.fields);
    case FieldType::Bool:
      return node.text == "true";
    case FieldType::Integer:
    case FieldType::Number:
      return plain_value(node);
    case FieldType::Options:
    case FieldType::PointOptions:
    case FieldType::Secret:
    case FieldType::Range:
    case FieldType::Map:
    case FieldType::Any:
      return untyped(node);
    default:
      return json::string(node.text);
  }
}

json::value typed(const Node& node, const FieldSpec& field) {
  if (!field.list) return one(node, field);
  json::array out;
  for (const auto& item : node.items) out.push_back(one(item, field));
  return out;
}

json::object texts(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [key, value] : map) out[key] = value;
  return out;
}

}  // namespace

std::string spec_json(const Resource& resource) {
  return json::serialize(object(resource.spec, resource.kind->fields));
}

std::string resource_json(const Resource& resource, std::uint64_t version,
                          const std::string& status_json) {
  json::object metadata{{"name", resource.name}, {"namespace", resource.space}};
  if (!resource.labels.empty()) metadata["labels"] = texts(resource.labels);
  if (!resource.annotations.empty()) metadata["annotations"] = texts(resource.annotations);
  if (version > 0) metadata["resourceVersion"] = std::to_string(version);
  json::object out{{"apiVersion", "infiniedge.io/v1"},
                   {"kind", resource.kind->kind},
                   {"metadata", metadata},
                   {"spec", object(resource.spec, resource.kind->fields)}};
  if (!status_json.empty()) out["status"] = json::parse(status_json);
  return json::serialize(out);
}

std::string spec_hash(const Resource& resource) {
  const auto text = spec_json(resource);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

}  // namespace infiniedge::app::config
