// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace infiniedge::api::inference::grpc {

/// How a JSON member is written in protobuf.
enum class Kind { Text, Integer, Bool, Float, Enum, Message };

/// A member of a message: its name in JSON (which is the name in the .proto) and its number.
/// Arrays are repeated fields. Maps are objects; their entries have the key as field 1.
struct Member {
  std::string_view name;
  std::uint32_t number;
  Kind kind;
  std::span<const Member> members{};           ///< Of a Message.
  std::span<const std::string_view> values{};  ///< Of an Enum, from 0.
  enum class Map { No, TextKey, IntegerKey } map = Map::No;
};

/// A message is its members.
using Schema = std::span<const Member>;

// Answers that HTTP gives as JSON, so that both doors describe alike.
extern const Schema kServerMetadata;
extern const Schema kModelMetadata;
extern const Schema kModelConfig;
extern const Schema kModelStatistics;  ///< ModelStatisticsResponse.
extern const Schema kModelIndex;       ///< One line of RepositoryIndexResponse.

/// Writes a JSON object as the message of a schema. Members that the schema does not name are
/// left out. Requires: JSON of ours, whose types are those of the schema.
std::string to_wire(const boost::json::value& object, Schema schema);

}  // namespace infiniedge::api::inference::grpc
