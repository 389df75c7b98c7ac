// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "record/definition.hpp"

namespace infiniedge::store {

/// Bytes of the group-commit log (docs/formats/log.md). A position in the log is an LSN: it grows
/// by one a byte over all files, and a file holds those from its base_lsn on.
constexpr std::size_t kLogPage = 4096;
constexpr std::size_t kRecordHeader = 40;
/// Most bytes of one group, and so of one record.
constexpr std::size_t kMaxGroup = std::size_t{4} << 20;
constexpr std::size_t kMaxPayload = kMaxGroup - kLogPage;

enum class RecordType : std::uint8_t {
  Batch = 1,     ///< A block; first_seq numbers its first row.
  Mark = 2,      ///< Empty: its durable_lsn says that all before it was synced.
  Define = 3,    ///< CBOR: a stream, device or label.
  Gap = 4,       ///< CBOR.
  HubBatch = 5,  ///< Gateway, epoch, covered range and block, in one.
  Close = 6      ///< Empty: the log was closed in good order.
};

/// First page of a log file; a second copy stands in its middle.
struct FileHeader {
  std::uint32_t epoch = 0;
  record::GatewayId gateway{};
  std::uint64_t file_no = 0;
  std::uint64_t base_lsn = 0;      ///< LSN of file offset 4096: prev_end_lsn, rounded up to a page.
  std::uint64_t prev_end_lsn = 0;  ///< Where the file before this one ends.
  std::uint64_t salt = 0;          ///< New at each use, so that records of an earlier use fail.
  std::uint64_t durable_lsn = 0;
  std::int64_t created = 0;
};

struct RecordHeader {
  std::uint32_t crc = 0;
  std::uint32_t length = 0;  ///< Of the payload.
  std::uint64_t lsn = 0;
  std::uint64_t durable_lsn = 0;  ///< All below was synced when this was written.
  std::uint64_t first_seq = 0;
  std::uint32_t stream_id = 0;
  std::uint16_t label_id = 0;
  RecordType type = RecordType::Mark;
  std::uint8_t flags = 0;
};

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}
/// Bytes that a record takes, alignment included.
constexpr std::uint64_t record_size(std::uint64_t payload) {
  return round_up(kRecordHeader + payload, 8);
}

/// The header page: kLogPage bytes, both copies.
std::string encode_header_page(const FileHeader& header);
/// The header of file `file_no`, from whichever copy is whole and names that file. Nothing: the
/// page was never written, belongs to an earlier use of the file, or is damaged.
std::optional<FileHeader> decode_header_page(base::ByteView page, std::uint64_t file_no);

/// Appends header, payload and padding to 8 bytes; fills in length and CRC.
void append_record(std::string& out, RecordHeader header, std::string_view payload,
                   std::uint64_t salt);
/// Reads a header without judging it. Requires: kRecordHeader bytes.
RecordHeader read_record_header(base::ByteView bytes);
/// Whether CRC and length of the record at the front of `bytes` (header and payload) hold.
bool record_is_whole(base::ByteView bytes, std::uint64_t salt);

std::string log_file_name(std::uint64_t file_no);  ///< "00000000000000000007.ielog".
std::optional<std::uint64_t> log_file_number(std::string_view name);

}  // namespace infiniedge::store
