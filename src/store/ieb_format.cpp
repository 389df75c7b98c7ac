// SPDX-License-Identifier: Apache-2.0
#include "store/ieb_format.hpp"

#include <zstd.h>

#include <algorithm>

#include "base/check.hpp"
#include "record/cbor.hpp"
#include "store/log_format.hpp"

namespace infiniedge::store {
namespace {

// Keys of the footer. Stored: never renumber, only add.
enum Key : std::uint64_t { kGateway = 0, kTable = 1, kStreams = 2, kDevices = 3, kFrames = 4 };
constexpr std::size_t kFrameNumbers = 8;
constexpr int kLevel = 3;
// A block is never larger than a log record's payload, text and doubles included.
constexpr std::size_t kMaxBlock = std::size_t{32} << 20;

Result<void> read_frames(record::CborReader& reader, std::uint64_t end, IebFooter& footer) {
  auto count = reader.array();
  if (!count) return std::move(count).error();
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto numbers = reader.array();
    if (!numbers) return std::move(numbers).error();
    if (*numbers != kFrameNumbers) return reader.fault("a frame has eight numbers");
    std::uint64_t n[kFrameNumbers] = {};
    for (std::uint64_t& number : n) {
      auto value = reader.u64();
      if (!value) return std::move(value).error();
      number = *value;
    }
    const bool inside = n[5] >= kIebMagic.size() && n[5] <= end && n[6] <= end - n[5];
    if (!inside || n[0] > UINT32_MAX || n[1] > UINT32_MAX || n[7] > UINT32_MAX || n[2] > n[3]) {
      return reader.fault("a frame outside the file");
    }
    footer.frames.push_back({static_cast<StreamId>(n[0]), static_cast<std::uint32_t>(n[1]), n[2],
                             n[3], n[4], n[5], n[6], static_cast<std::uint32_t>(n[7])});
  }
  return {};
}

Result<void> read_streams(record::CborReader& reader, IebFooter& footer) {
  auto count = reader.array();
  if (!count) return std::move(count).error();
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto definition = reader.bytes();
    if (!definition) return std::move(definition).error();
    footer.streams.emplace_back(base::as_text(*definition));
  }
  return {};
}

Result<void> read_devices(record::CborReader& reader, IebFooter& footer) {
  auto count = reader.array();
  if (!count) return std::move(count).error();
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto name = reader.text();
    if (!name) return std::move(name).error();
    footer.devices.restore(static_cast<std::uint32_t>(i + 1), *name);
  }
  return {};
}

}  // namespace

std::string encode_ieb_footer(const IebFooter& footer) {
  record::CborWriter writer;
  writer.map(5);
  writer.u64(kGateway);
  writer.bytes(footer.gateway);
  writer.u64(kTable);
  writer.bytes(base::as_bytes(footer.table));
  writer.u64(kStreams);
  writer.array(footer.streams.size());
  for (const std::string& stream : footer.streams) writer.bytes(base::as_bytes(stream));
  writer.u64(kDevices);
  writer.array(footer.devices.names().size());
  for (const auto& [id, name] : footer.devices.names()) writer.text(name);
  writer.u64(kFrames);
  writer.array(footer.frames.size());
  for (const IebFrame& frame : footer.frames) {
    writer.array(kFrameNumbers);
    for (const std::uint64_t number :
         {std::uint64_t{frame.stream}, std::uint64_t{frame.epoch}, frame.first_seq, frame.last_seq,
          frame.rows, frame.offset, frame.length, std::uint64_t{frame.crc}}) {
      writer.u64(number);
    }
  }
  return writer.take();
}

Result<IebFooter> decode_ieb_footer(base::ByteView bytes, std::uint64_t frames_end) {
  record::CborReader reader(bytes);
  IebFooter footer;
  auto entries = reader.map();
  if (!entries) return std::move(entries).error();
  for (std::uint64_t i = 0; i < *entries; ++i) {
    auto key = reader.u64();
    if (!key) return std::move(key).error();
    if (*key == kStreams) {
      INFINIEDGE_TRY(read_streams(reader, footer));
    } else if (*key == kDevices) {
      INFINIEDGE_TRY(read_devices(reader, footer));
    } else if (*key == kFrames) {
      INFINIEDGE_TRY(read_frames(reader, frames_end, footer));
    } else if (*key == kGateway || *key == kTable) {
      auto value = reader.bytes();
      if (!value) return std::move(value).error();
      if (*key == kTable) footer.table = base::as_text(*value);
      if (*key == kGateway && value->size() != footer.gateway.size()) {
        return reader.fault("a gateway id is not 16 bytes long");
      }
      if (*key == kGateway) std::copy(value->begin(), value->end(), footer.gateway.begin());
    } else {
      INFINIEDGE_TRY(reader.skip());
    }
  }
  return footer;
}

std::string pack_frame(std::string_view block) {
  std::string packed(ZSTD_compressBound(block.size()), '\0');
  const std::size_t n =
      ZSTD_compress(packed.data(), packed.size(), block.data(), block.size(), kLevel);
  INFINIEDGE_CHECK(ZSTD_isError(n) == 0);
  packed.resize(n);
  return packed;
}

Result<std::string> unpack_frame(std::string_view packed) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMaxBlock) {
    return Error{Code::Corrupt, "a frame that zstd cannot have written here"};
  }
  std::string block(size, '\0');
  const std::size_t n = ZSTD_decompress(block.data(), block.size(), packed.data(), packed.size());
  if (ZSTD_isError(n) != 0 || n != size) {
    return Error{Code::Corrupt, "a frame that does not decompress"};
  }
  return block;
}

}  // namespace infiniedge::store
