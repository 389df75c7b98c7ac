// SPDX-License-Identifier: Apache-2.0
#include "store/log_format.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "base/crc32c.hpp"

namespace infiniedge::store {
namespace {

constexpr std::string_view kMagic{"IELOG\0\0\1", 8};
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 84;
constexpr std::size_t kSecondCopy = kLogPage / 2;
constexpr std::string_view kSuffix = ".ielog";
constexpr std::size_t kDigits = 20;

std::string encode_header(const FileHeader& header) {
  std::string out{kMagic};
  base::put(out, kVersion);
  base::put(out, static_cast<std::uint16_t>(kLogPage));
  base::put(out, header.epoch);
  out.append(base::as_text(header.gateway));
  base::put(out, header.file_no);
  base::put(out, header.base_lsn);
  base::put(out, header.prev_end_lsn);
  base::put(out, header.salt);
  base::put(out, header.durable_lsn);
  base::put(out, header.created);
  base::put(out, base::crc32c(base::as_bytes(out)));
  return out;
}

std::optional<FileHeader> decode_header(base::ByteView bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const bool whole = base::get<std::uint32_t>(bytes, 80) == base::crc32c(bytes.first(80));
  if (!whole || base::as_text(bytes.first(kMagic.size())) != kMagic ||
      base::get<std::uint16_t>(bytes, 8) != kVersion ||
      base::get<std::uint16_t>(bytes, 10) != kLogPage) {
    return std::nullopt;
  }
  FileHeader header{.epoch = base::get<std::uint32_t>(bytes, 12),
                    .gateway = {},
                    .file_no = base::get<std::uint64_t>(bytes, 32),
                    .base_lsn = base::get<std::uint64_t>(bytes, 40),
                    .prev_end_lsn = base::get<std::uint64_t>(bytes, 48),
                    .salt = base::get<std::uint64_t>(bytes, 56),
                    .durable_lsn = base::get<std::uint64_t>(bytes, 64),
                    .created = base::get<std::int64_t>(bytes, 72)};
  std::memcpy(header.gateway.data(), bytes.data() + 16, header.gateway.size());
  return header;
}

std::uint32_t record_crc(base::ByteView behind_crc, std::uint64_t salt) {
  const std::uint32_t seed = base::crc32c(std::as_bytes(std::span(&salt, 1)));
  return base::crc32c(behind_crc, seed);
}

}  // namespace

std::string encode_header_page(const FileHeader& header) {
  std::string page(kLogPage, '\0');
  const std::string bytes = encode_header(header);
  page.replace(0, bytes.size(), bytes);
  page.replace(kSecondCopy, bytes.size(), bytes);
  return page;
}

std::optional<FileHeader> decode_header_page(base::ByteView page, std::uint64_t file_no) {
  for (const std::size_t offset : {std::size_t{0}, kSecondCopy}) {
    if (page.size() < offset + kHeaderBytes) continue;
    const auto header = decode_header(page.subspan(offset, kHeaderBytes));
    if (header && header->file_no == file_no) return header;
  }
  return std::nullopt;
}

void append_record(std::string& out, RecordHeader header, std::string_view payload,
                   std::uint64_t salt) {
  const std::size_t start = out.size();
  base::put(out, std::uint32_t{0});
  base::put(out, static_cast<std::uint32_t>(payload.size()));
  base::put(out, header.lsn);
  base::put(out, header.durable_lsn);
  base::put(out, header.first_seq);
  base::put(out, header.stream_id);
  base::put(out, header.label_id);
  base::put(out, header.type);
  base::put(out, header.flags);
  out.append(payload);
  const std::uint32_t crc = record_crc(base::as_bytes(out).subspan(start + 4), salt);
  std::memcpy(out.data() + start, &crc, sizeof crc);
  out.resize(start + record_size(payload.size()), '\0');
}

RecordHeader read_record_header(base::ByteView bytes) {
  return {.crc = base::get<std::uint32_t>(bytes, 0),
          .length = base::get<std::uint32_t>(bytes, 4),
          .lsn = base::get<std::uint64_t>(bytes, 8),
          .durable_lsn = base::get<std::uint64_t>(bytes, 16),
          .first_seq = base::get<std::uint64_t>(bytes, 24),
          .stream_id = base::get<std::uint32_t>(bytes, 32),
          .label_id = base::get<std::uint16_t>(bytes, 36),
          .type = static_cast<RecordType>(base::get<std::uint8_t>(bytes, 38)),
          .flags = base::get<std::uint8_t>(bytes, 39)};
}

bool record_is_whole(base::ByteView bytes, std::uint64_t salt) {
  if (bytes.size() < kRecordHeader) return false;
  const RecordHeader header = read_record_header(bytes);
  if (header.length > kMaxPayload || bytes.size() < kRecordHeader + header.length) return false;
  return header.crc == record_crc(bytes.subspan(4, kRecordHeader - 4 + header.length), salt);
}

std::string log_file_name(std::uint64_t file_no) {
  return fmt::format("{:0{}}{}", file_no, kDigits, kSuffix);
}

std::optional<std::uint64_t> log_file_number(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = name.data() + kDigits;
  const auto [at, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc{} || at != end) return std::nullopt;
  return number;
}

}  // namespace infiniedge::store
