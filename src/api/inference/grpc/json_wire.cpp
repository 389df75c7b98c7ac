// SPDX-License-Identifier: Apache-2.0
#include "api/inference/grpc/json_wire.hpp"

#include <algorithm>
#include <bit>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/inference/grpc/wire.hpp"
#include "base/bytes.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

namespace json = boost::json;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::uint64_t integer_of(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64()) return static_cast<std::uint64_t>(value.get_int64());
  return 0;
}

void put_value(std::string& out, const json::value& value, const Member& member) {
  switch (member.kind) {
    case Kind::Text:
      if (value.is_string()) put_bytes(out, member.number, view(value.get_string()));
      return;
    case Kind::Integer:
      return put_integer(out, member.number, integer_of(value));
    case Kind::Bool:
      return put_integer(out, member.number, value.is_bool() && value.get_bool() ? 1 : 0);
    case Kind::Float:
      put_tag(out, member.number, WireType::Fixed32);
      return base::put(out, value.is_number() ? value.to_number<float>() : 0.0F);
    case Kind::Enum: {
      if (!value.is_string()) return;
      const auto found =
          std::find(member.values.begin(), member.values.end(), view(value.get_string()));
      if (found == member.values.end()) return;
      return put_integer(out, member.number,
                         static_cast<std::uint64_t>(found - member.values.begin()));
    }
    case Kind::Message:
      return put_bytes(out, member.number, to_wire(value, member.members));
  }
}

void put_entry(std::string& out, std::string_view key, const json::value& value,
               const Member& member) {
  std::string entry;
  if (member.map == Member::Map::TextKey) {
    put_bytes(entry, 1, key);
  } else {
    std::uint64_t number = 0;
    std::from_chars(key.data(), key.data() + key.size(), number);
    put_integer(entry, 1, number);
  }
  auto content = member;
  content.number = 2;
  put_value(entry, value, content);
  put_bytes(out, member.number, entry);
}

void put_member(std::string& out, const json::value& value, const Member& member) {
  if (value.is_null()) return;
  if (member.map != Member::Map::No) {
    if (!value.is_object()) return;
    for (const auto& [key, inner] : value.get_object()) put_entry(out, key, inner, member);
  } else if (value.is_array()) {
    for (const auto& element : value.get_array()) put_value(out, element, member);
  } else {
    put_value(out, value, member);
  }
}

}  // namespace

std::string to_wire(const json::value& object, Schema schema) {
  std::string out;
  if (!object.is_object()) return out;
  for (const auto& [name, value] : object.get_object()) {
    const std::string_view wanted{name.data(), name.size()};
    const auto member = std::find_if(schema.begin(), schema.end(),
                                     [&](const Member& m) { return m.name == wanted; });
    if (member != schema.end()) put_member(out, value, *member);
  }
  return out;
}

}  // namespace infiniedge::api::inference::grpc
