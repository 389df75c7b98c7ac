// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "infiniedge/result.hpp"
#include "record/device_table.hpp"
#include "store/segment.hpp"

namespace infiniedge::store {

/// One compressed block of an .ieb file: rows of one stream and epoch, by `_seq`.
struct IebFrame {
  StreamId stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t first_seq = 0, last_seq = 0;
  std::uint64_t rows = 0;
  std::uint64_t offset = 0, length = 0;  ///< Compressed, within the file.
  std::uint32_t crc = 0;                 ///< CRC-32C of the compressed bytes.
};

/// What stands behind the frames: enough to read them and to rebuild the catalogue.
struct IebFooter {
  record::GatewayId gateway{};
  std::string table;                 ///< Definition, CBOR.
  std::vector<std::string> streams;  ///< Definitions, CBOR.
  record::DeviceTable devices;
  std::vector<IebFrame> frames;
};

inline constexpr std::string_view kIebMagic{"IEIEB\0\0\1", 8};
constexpr std::size_t kIebTail = 16;  ///< u32 footer length, u32 CRC of the footer, magic.

std::string encode_ieb_footer(const IebFooter& footer);
/// Decodes outside bytes. Errors: Corrupt, also when a frame lies outside [8, `frames_end`).
Result<IebFooter> decode_ieb_footer(base::ByteView bytes, std::uint64_t frames_end);

/// zstd of one frame. Errors of unpacking: Corrupt.
std::string pack_frame(std::string_view block);
Result<std::string> unpack_frame(std::string_view packed);

}  // namespace infiniedge::store
