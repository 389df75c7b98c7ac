// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>

#include "base/crc32c.hpp"
#include "record/block.hpp"
#include "record/cbor.hpp"
#include "sync/frame.hpp"
#include "sync/frame_keys.hpp"

namespace infiniedge::sync {
namespace {

using namespace key;
using record::CborReader;

constexpr std::size_t kMaxName = 255, kMaxText = 4096;

/// Assigns what a reader's method returned. Errors: the reader's.
template <class T, class R>
Result<void> set(T& to, Result<R> value) {
  if (!value) return std::move(value).error();
  to = static_cast<T>(std::move(*value));
  return {};
}

Result<void> read_lane(CborReader& reader, record::Lane& lane) {
  return set(lane, reader.u64(kLanes - 1));
}

Result<void> read_text(CborReader& reader, std::string& to, std::size_t longest) {
  INFINIEDGE_TRY(set(to, reader.text()));
  if (to.size() > longest) return reader.fault(fmt::format("text longer than {} bytes", longest));
  return {};
}

Result<void> read_gateway(CborReader& reader, record::GatewayId& gateway) {
  auto raw = reader.bytes();
  if (!raw) return std::move(raw).error();
  if (raw->size() != gateway.size()) return reader.fault("a gateway id is not 16 bytes long");
  std::copy(raw->begin(), raw->end(), gateway.begin());
  return {};
}

Result<void> read_ranges(CborReader& reader, Ranges& ranges) {
  auto count = reader.array();
  if (!count) return std::move(count).error();
  if (*count % 2 != 0 || *count > 2 * kMaxRanges) return reader.fault("a bad number of ranges");
  for (std::uint64_t i = 0; i < *count; i += 2) {
    auto& range = ranges.emplace_back();
    INFINIEDGE_TRY(set(range.from, reader.u64()));
    INFINIEDGE_TRY(set(range.to, reader.u64()));
  }
  if (!well_formed(ranges)) return reader.fault("ranges that are not ascending and apart");
  return {};
}

/// Reads an array of tuples: `item` reads the first `width` entries of each, later versions' rest
/// is passed over.
template <class Item>
Result<void> read_tuples(CborReader& reader, std::uint64_t width, std::size_t most, Item item) {
  auto count = reader.array();
  if (!count) return std::move(count).error();
  if (*count > most) return reader.fault("a list that is too long");
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto entries = reader.array();
    if (!entries) return std::move(entries).error();
    if (*entries < width) return reader.fault("a tuple that is too short");
    INFINIEDGE_TRY(item());
    for (std::uint64_t extra = width; extra < *entries; ++extra) INFINIEDGE_TRY(reader.skip());
  }
  return {};
}

/// Reads the one map that is the whole body. `entry` reads or skips the value of each key. A key
/// that came twice would append to a list past its bound.
template <class Entry>
Result<void> read_body(CborReader& reader, Entry entry) {
  auto entries = reader.map();
  if (!entries) return std::move(entries).error();
  std::uint64_t seen = 0;  // Of keys below 64: those above mean nothing and are passed over.
  for (std::uint64_t i = 0; i < *entries; ++i) {
    auto name = reader.u64();
    if (!name) return std::move(name).error();
    const auto bit = *name < 64 ? std::uint64_t{1} << *name : 0;
    if ((seen & bit) != 0) return reader.fault("a key that comes twice");
    seen |= bit;
    INFINIEDGE_TRY(entry(*name));
  }
  if (!reader.done()) return reader.fault("bytes after the end");
  return {};
}

Result<void> read_offer(CborReader& reader, StreamOffer& offer) {
  INFINIEDGE_TRY(set(offer.id, reader.u64(UINT32_MAX)));
  INFINIEDGE_TRY(read_text(reader, offer.name, kMaxName));
  INFINIEDGE_TRY(set(offer.first_epoch, reader.u64(UINT32_MAX)));
  INFINIEDGE_TRY(set(offer.epoch, reader.u64(UINT32_MAX)));
  INFINIEDGE_TRY(set(offer.last_seq, reader.u64()));
  if (offer.id == 0 || offer.name.empty() || offer.first_epoch > offer.epoch) {
    return reader.fault("a stream without identity");
  }
  return {};
}

Result<Frame> read_hello(CborReader& reader) {
  Hello hello;
  INFINIEDGE_TRY(read_body(reader, [&](std::uint64_t name) -> Result<void> {
    switch (name) {
      case kHelloVersion:
        return set(hello.version, reader.u64(UINT32_MAX));
      case kGateway:
        return read_gateway(reader, hello.gateway);
      case kNodeName:
        return read_text(reader, hello.name, kMaxName);
      case kHelloEpoch:
        return set(hello.epoch, reader.u64(UINT32_MAX));
      case kFirstLane:
        return read_lane(reader, hello.first_lane);
      case kLastLane:
        return read_lane(reader, hello.last_lane);
      case kOrdered:
        return set(hello.ordered, reader.boolean());
      case kStreams:
        return read_tuples(reader, 5, kMaxStreams,
                           [&] { return read_offer(reader, hello.streams.emplace_back()); });
      default:
        return reader.skip();
    }
  }));
  if (hello.first_lane > hello.last_lane || hello.epoch == 0 ||
      hello.gateway == record::GatewayId{}) {
    return reader.fault("a Hello without lanes, epoch or gateway");
  }
  return Frame{std::move(hello)};
}

Result<Frame> read_welcome(CborReader& reader) {
  Welcome welcome;
  const auto cover = [&]() -> Result<void> {
    auto& entry = welcome.covers.emplace_back();
    INFINIEDGE_TRY(set(entry.stream, reader.u64(UINT32_MAX)));
    INFINIEDGE_TRY(set(entry.epoch, reader.u64(UINT32_MAX)));
    return read_ranges(reader, entry.ranges);
  };
  const auto credit = [&]() -> Result<void> {
    auto& entry = welcome.credit.emplace_back();
    INFINIEDGE_TRY(read_lane(reader, entry.lane));
    return set(entry.bytes, reader.u64());
  };
  INFINIEDGE_TRY(read_body(reader, [&](std::uint64_t name) -> Result<void> {
    switch (name) {
      case kWelcomeVersion:
        return set(welcome.version, reader.u64(UINT32_MAX));
      case kHub:
        return read_gateway(reader, welcome.hub);
      case kPolicyVersion:
        return set(welcome.policy_version, reader.u64());
      case kCovers:
        return read_tuples(reader, 3, 4 * kMaxStreams, cover);
      case kCredit:
        return read_tuples(reader, 2, kLanes, credit);
      default:
        return reader.skip();
    }
  }));
  return Frame{std::move(welcome)};
}

Result<Frame> read_schema(base::ByteView body, std::uint32_t stream) {
  auto definition = record::decode_definition(body);
  if (!definition) return std::move(definition).error();
  const auto* introduced = std::get_if<record::StreamDefinition>(&*definition);
  if (introduced != nullptr && (introduced->id != stream || stream == 0)) {
    return Error{Code::Corrupt, "a Schema names another stream than its header"};
  }
  return Frame{SchemaFrame{std::move(*definition)}};
}

Result<Frame> read_data(base::ByteView body, std::uint32_t stream) {
  Data data{.stream = stream};
  std::uint32_t crc = 0;
  base::Reader reader(body);
  const bool whole = reader.read(data.epoch) && reader.read(data.from) && reader.read(data.to) &&
                     reader.read(data.rows) && reader.read(crc);
  if (!whole) return Error{Code::Corrupt, "a Data message is cut short"};
  const auto block = body.subspan(kDataBytes);
  if (base::crc32c(block) != crc) {
    return Error{Code::Corrupt, "the block of a Data message does not match its checksum"};
  }
  // to − from instead of to − from + 1: the latter may overflow.
  const bool sound = stream != 0 && data.epoch != 0 && data.from != 0 && data.to >= data.from &&
                     data.rows != 0 && data.rows - 1 <= data.to - data.from &&
                     data.rows <= record::kMaxBlockRows;
  if (!sound) return Error{Code::Corrupt, "a Data message has impossible sequence numbers"};
  data.block = base::as_text(block);
  return Frame{std::move(data)};
}

Result<Frame> read_ack(CborReader& reader, std::uint32_t stream) {
  Ack ack{.cover = {.stream = stream}};
  INFINIEDGE_TRY(read_body(reader, [&](std::uint64_t name) -> Result<void> {
    if (name == kCoverEpoch) return set(ack.cover.epoch, reader.u64(UINT32_MAX));
    if (name == kRanges && ack.cover.ranges.empty()) return read_ranges(reader, ack.cover.ranges);
    return reader.skip();
  }));
  return Frame{std::move(ack)};
}

Result<Frame> read_nack(CborReader& reader, std::uint32_t stream) {
  Nack nack{.stream = stream};
  INFINIEDGE_TRY(read_body(reader, [&](std::uint64_t name) -> Result<void> {
    if (name == kNackEpoch) return set(nack.epoch, reader.u64(UINT32_MAX));
    if (name == kExpected) return set(nack.expected, reader.u64());
    return reader.skip();
  }));
  if (nack.expected == 0) return reader.fault("a Nack without a sequence number");
  return Frame{nack};
}

Result<Frame> read_credit(CborReader& reader) {
  Credit credit;
  INFINIEDGE_TRY(read_body(reader, [&](std::uint64_t name) -> Result<void> {
    if (name == kCreditLane) return read_lane(reader, credit.lane);
    if (name == kCreditBytes) return set(credit.bytes, reader.u64(INT32_MAX));
    return reader.skip();
  }));
  return Frame{credit};
}

Result<Frame> read_gap(base::ByteView body, std::uint32_t stream) {
  auto gap = record::decode_gap(body);
  if (!gap) return std::move(gap).error();
  const bool sound = stream != 0 && gap->stream == stream && gap->epoch != 0 &&
                     gap->from_seq != 0 && gap->to_seq >= gap->from_seq;
  if (!sound) return Error{Code::Corrupt, "a Gap has impossible sequence numbers"};
  return Frame{GapFrame{std::move(*gap)}};
}

Result<Frame> read_error(CborReader& reader, std::uint32_t stream) {
  ErrorFrame error{.stream = stream};
  INFINIEDGE_TRY(read_body(reader, [&](std::uint64_t name) -> Result<void> {
    if (name == kErrorCode) {
      return set(error.code, reader.u64(static_cast<std::uint64_t>(Code::Internal)));
    }
    if (name == kErrorMessage) return read_text(reader, error.message, kMaxText);
    if (name == kRetryAfter) return set(error.retry_after, reader.u64(UINT32_MAX));
    return reader.skip();
  }));
  return Frame{std::move(error)};
}

Result<std::string> decompress(base::ByteView body) {
  const auto size = ZSTD_getFrameContentSize(body.data(), body.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMaxMessage) {
    return Error{Code::Corrupt, "a compressed message without a length, or too long"};
  }
  std::string out(size, '\0');
  const auto got = ZSTD_decompress(out.data(), out.size(), body.data(), body.size());
  if (ZSTD_isError(got) != 0 || got != size) {
    return Error{Code::Corrupt, "a compressed message that is damaged"};
  }
  return out;
}

Result<Frame> read_frame(FrameType type, std::uint32_t stream, base::ByteView body) {
  CborReader reader(body);
  switch (type) {
    case FrameType::Hello:
      return read_hello(reader);
    case FrameType::Welcome:
      return read_welcome(reader);
    case FrameType::Schema:
      return read_schema(body, stream);
    case FrameType::Data:
      return read_data(body, stream);
    case FrameType::Ack:
      return read_ack(reader, stream);
    case FrameType::Nack:
      return read_nack(reader, stream);
    case FrameType::Credit:
      return read_credit(reader);
    case FrameType::Gap:
      return read_gap(body, stream);
    case FrameType::Error:
      return read_error(reader, stream);
  }
  return Error{Code::Unsupported, fmt::format("a message of kind {}, which version {} lacks",
                                              static_cast<unsigned>(type), kVersion)};
}

}  // namespace

Result<Message> decode(base::ByteView bytes) {
  if (bytes.size() > kMaxMessage) return Error{Code::Corrupt, "a message longer than 4 MiB"};
  base::Reader reader(bytes);
  std::uint8_t type = 0, lane = 0;
  std::uint16_t flags = 0;
  std::uint32_t stream = 0;
  if (!reader.read(type) || !reader.read(lane) || !reader.read(flags) || !reader.read(stream)) {
    return Error{Code::Corrupt, "a message shorter than its header"};
  }
  if (lane >= kLanes) return Error{Code::Corrupt, "a message of a lane that does not exist"};
  if ((flags & ~kZstdFlag) != 0) {
    return Error{Code::Unsupported, "a message with flags of a later version"};
  }
  auto body = bytes.subspan(kHeaderBytes);
  std::string plain;
  if ((flags & kZstdFlag) != 0) {
    auto out = decompress(body);
    if (!out) return std::move(out).error();
    plain = std::move(*out);
    body = base::as_bytes(plain);
  }
  auto frame = read_frame(static_cast<FrameType>(type), stream, body);
  if (!frame) return std::move(frame).error();
  return Message{static_cast<record::Lane>(lane), std::move(*frame)};
}

}  // namespace infiniedge::sync
