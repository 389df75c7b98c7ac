// SPDX-License-Identifier: Apache-2.0
#include "sync/frame.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>

#include "base/crc32c.hpp"
#include "record/cbor.hpp"
#include "sync/frame_keys.hpp"

namespace infiniedge::sync {
namespace {

using namespace key;
using record::CborWriter;

constexpr int kZstdLevel = 3;
constexpr std::size_t kWorthCompressing = 256;

void write_ranges(CborWriter& writer, const Ranges& ranges) {
  const std::size_t count = std::min(ranges.size(), kMaxRanges);
  writer.array(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    writer.u64(ranges[i].from);
    writer.u64(ranges[i].to);
  }
}

std::string body(const Hello& hello) {
  CborWriter writer;
  writer.map(8);
  writer.u64(kHelloVersion);
  writer.u64(hello.version);
  writer.u64(kGateway);
  writer.bytes(hello.gateway);
  writer.u64(kNodeName);
  writer.text(hello.name);
  writer.u64(kHelloEpoch);
  writer.u64(hello.epoch);
  writer.u64(kFirstLane);
  writer.u64(static_cast<std::uint64_t>(hello.first_lane));
  writer.u64(kLastLane);
  writer.u64(static_cast<std::uint64_t>(hello.last_lane));
  writer.u64(kOrdered);
  writer.boolean(hello.ordered);
  writer.u64(kStreams);
  writer.array(hello.streams.size());
  for (const auto& stream : hello.streams) {
    writer.array(5);
    writer.u64(stream.id);
    writer.text(stream.name);
    writer.u64(stream.first_epoch);
    writer.u64(stream.epoch);
    writer.u64(stream.last_seq);
  }
  return writer.take();
}

std::string body(const Welcome& welcome) {
  CborWriter writer;
  writer.map(5);
  writer.u64(kWelcomeVersion);
  writer.u64(welcome.version);
  writer.u64(kHub);
  writer.bytes(welcome.hub);
  writer.u64(kPolicyVersion);
  writer.u64(welcome.policy_version);
  writer.u64(kCovers);
  writer.array(welcome.covers.size());
  for (const auto& cover : welcome.covers) {
    writer.array(3);
    writer.u64(cover.stream);
    writer.u64(cover.epoch);
    write_ranges(writer, cover.ranges);
  }
  writer.u64(kCredit);
  writer.array(welcome.credit.size());
  for (const auto& credit : welcome.credit) {
    writer.array(2);
    writer.u64(static_cast<std::uint64_t>(credit.lane));
    writer.u64(credit.bytes);
  }
  return writer.take();
}

std::string body(const SchemaFrame& schema) { return encode_definition(schema.definition); }

std::string body(const Data& data) {
  std::string out;
  out.reserve(kDataBytes + data.block.size());
  base::put(out, data.epoch);
  base::put(out, data.from);
  base::put(out, data.to);
  base::put(out, data.rows);
  base::put(out, base::crc32c(base::as_bytes(data.block)));
  return out.append(data.block);
}

std::string body(const Ack& ack) {
  CborWriter writer;
  writer.map(2);
  writer.u64(kCoverEpoch);
  writer.u64(ack.cover.epoch);
  writer.u64(kRanges);
  write_ranges(writer, ack.cover.ranges);
  return writer.take();
}

std::string body(const Nack& nack) {
  CborWriter writer;
  writer.map(2);
  writer.u64(kNackEpoch);
  writer.u64(nack.epoch);
  writer.u64(kExpected);
  writer.u64(nack.expected);
  return writer.take();
}

std::string body(const Credit& credit) {
  CborWriter writer;
  writer.map(2);
  writer.u64(kCreditLane);
  writer.u64(static_cast<std::uint64_t>(credit.lane));
  writer.u64(kCreditBytes);
  writer.u64(credit.bytes);
  return writer.take();
}

std::string body(const GapFrame& gap) { return record::encode_gap(gap.gap); }

std::string body(const ErrorFrame& error) {
  CborWriter writer;
  writer.map(3);
  writer.u64(kErrorCode);
  writer.u64(static_cast<std::uint64_t>(error.code));
  writer.u64(kErrorMessage);
  writer.text(error.message);
  writer.u64(kRetryAfter);
  writer.u64(error.retry_after);
  return writer.take();
}

FrameType type_of(const Frame& frame) {
  constexpr FrameType kTypes[] = {FrameType::Hello,  FrameType::Welcome, FrameType::Schema,
                                  FrameType::Data,   FrameType::Ack,     FrameType::Nack,
                                  FrameType::Credit, FrameType::Gap,     FrameType::Error};
  static_assert(std::size(kTypes) == std::variant_size_v<Frame>);
  return kTypes[frame.index()];
}

struct StreamOf {
  std::uint32_t operator()(const SchemaFrame& schema) const {
    const auto* stream = std::get_if<record::StreamDefinition>(&schema.definition);
    return stream != nullptr ? stream->id : 0;
  }
  std::uint32_t operator()(const Data& data) const { return data.stream; }
  std::uint32_t operator()(const Ack& ack) const { return ack.cover.stream; }
  std::uint32_t operator()(const Nack& nack) const { return nack.stream; }
  std::uint32_t operator()(const GapFrame& gap) const { return gap.gap.stream; }
  std::uint32_t operator()(const ErrorFrame& error) const { return error.stream; }
  std::uint32_t operator()(const auto&) const { return 0; }
};

/// Replaces `text` by its compressed form if that is at least a twentieth smaller.
bool compress(std::string& text) {
  if (text.size() < kWorthCompressing) return false;
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), text.data(), text.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size > text.size() - text.size() / 20) return false;
  out.resize(size);
  text = std::move(out);
  return true;
}

}  // namespace

std::string encode(const Frame& frame, record::Lane lane) {
  std::string content = std::visit([](const auto& value) { return body(value); }, frame);
  const std::uint16_t flags = compress(content) ? kZstdFlag : 0;
  std::string out;
  out.reserve(kHeaderBytes + content.size());
  base::put(out, type_of(frame));
  base::put(out, lane);
  base::put(out, flags);
  base::put(out, std::visit(StreamOf{}, frame));
  return out.append(content);
}

std::string to_string(const record::GatewayId& gateway) {
  std::string out;
  for (std::size_t i = 0; i < gateway.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    fmt::format_to(std::back_inserter(out), "{:02x}", std::to_integer<unsigned>(gateway[i]));
  }
  return out;
}

}  // namespace infiniedge::sync
