// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "infiniedge/result.hpp"
#include "record/schema_codec.hpp"
#include "sync/covered.hpp"

namespace infiniedge::sync {

constexpr std::string_view kPath = "/v1/sync";
constexpr std::string_view kSubprotocol = "infiniedge.sync.v1";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kLanes = 4;
/// Longest message, and longest body once it is decompressed.
constexpr std::size_t kMaxMessage = std::size_t{4} << 20;
/// Ranges that one message names at most; the first ones of a longer list are sent.
constexpr std::size_t kMaxRanges = 4096;
constexpr std::size_t kMaxStreams = 65'536;

/// Kinds of message. Sent; never renumber. 9 to 11 belong to object storage and erasure.
enum class FrameType : std::uint8_t {
  Hello = 1,
  Welcome = 2,
  Schema = 3,
  Data = 4,
  Ack = 5,
  Nack = 6,
  Credit = 7,
  Gap = 8,
  Error = 12
};

/// A stream that a gateway is about to send, and where it stands.
struct StreamOffer {
  std::uint32_t id = 0;  ///< On this connection, in the header of each message about it.
  std::string name;
  std::uint32_t first_epoch = 0, epoch = 0;  ///< Epochs that may still be sent.
  std::uint64_t last_seq = 0;                ///< Last number in `epoch`; 0: none yet.
  bool operator==(const StreamOffer&) const = default;
};

/// First message of a gateway.
struct Hello {
  std::uint32_t version = kVersion;
  record::GatewayId gateway{};
  std::string name;  ///< Of the node, for people.
  std::uint32_t epoch = 0;
  record::Lane first_lane = record::Lane::Alarm, last_lane = record::Lane::Bulk;
  bool ordered = true;  ///< False: holes are welcome and fill later.
  std::vector<StreamOffer> streams{};
  bool operator==(const Hello&) const = default;
};

/// What the hub has of one stream in one epoch.
struct StreamCover {
  std::uint32_t stream = 0;
  std::uint32_t epoch = 0;
  Ranges ranges;
  bool operator==(const StreamCover&) const = default;
};

/// Bytes of Data messages that the gateway may send in a lane, on top of what it may already.
struct Credit {
  record::Lane lane = record::Lane::Normal;
  std::uint64_t bytes = 0;
  bool operator==(const Credit&) const = default;
};

/// First message of a hub.
struct Welcome {
  std::uint32_t version = kVersion;
  record::GatewayId hub{};
  std::uint64_t policy_version = 0;
  std::vector<StreamCover> covers{};
  std::vector<Credit> credit{};
  bool operator==(const Welcome&) const = default;
};

/// Introduces a stream, a device or a label before its first use.
struct SchemaFrame {
  record::Definition definition;
  bool operator==(const SchemaFrame&) const = default;
};

/// Rows [from, to] of a stream. Fewer rows than numbers: the rest was withheld.
struct Data {
  std::uint32_t stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t from = 0, to = 0;
  std::uint32_t rows = 0;
  std::string block;
  bool operator==(const Data&) const = default;
};

struct Ack {
  StreamCover cover;
  bool operator==(const Ack&) const = default;
};

/// What was sent leaves a hole; go on from `expected`.
struct Nack {
  std::uint32_t stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t expected = 0;
  bool operator==(const Nack&) const = default;
};

struct GapFrame {
  record::Gap gap;
  bool operator==(const GapFrame&) const = default;
};

/// A refusal: of one stream, or (stream 0) of the connection, which ends.
struct ErrorFrame {
  std::uint32_t stream = 0;
  Code code = Code::Internal;
  std::string message;
  std::uint32_t retry_after = 0;  ///< Seconds; 0: the sender's own back-off.
  bool operator==(const ErrorFrame&) const = default;
};

using Frame =
    std::variant<Hello, Welcome, SchemaFrame, Data, Ack, Nack, Credit, GapFrame, ErrorFrame>;

struct Message {
  record::Lane lane = record::Lane::Normal;
  Frame frame;
};

/// One WebSocket message (docs/formats/sync.md), compressed where that saves a twentieth.
std::string encode(const Frame& frame, record::Lane lane = record::Lane::Normal);

/// Decodes outside bytes. Errors: Corrupt for anything malformed; Unsupported for a kind or flag
/// of a later version.
Result<Message> decode(base::ByteView bytes);

/// "3f2a…" in 8-4-4-4-12 form.
std::string to_string(const record::GatewayId& gateway);

}  // namespace infiniedge::sync
