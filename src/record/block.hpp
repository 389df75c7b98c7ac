// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "infiniedge/batch.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::record {

/// Device names as numbers, valid in one log or one connection. Whoever implements it also
/// sees to it that a DeviceDefinition reaches the reader before the first block that uses it.
///
/// Thread: that of the caller of encode_block or decode_block.
class DeviceIds {
 public:
  virtual ~DeviceIds() = default;
  /// The id of `name`, given now if it is new.
  virtual std::uint32_t id_of(std::string_view name) = 0;
  /// The name behind `id`, or nothing. The text lives as long as this object.
  virtual std::optional<std::string_view> name_of(std::uint32_t id) const = 0;
};

/// Most rows of one block; longer batches are split by the caller (slice()).
constexpr std::size_t kMaxBlockRows = 8192;
/// Most bytes of text that one block may expand to, all columns together: a short dictionary
/// entry repeated on each row must not fill the memory of whoever decodes it.
constexpr std::size_t kMaxBlockText = std::size_t{8} << 20;

/// Most values of one block, nulls included: a few bytes of constants must not either.
constexpr std::size_t kMaxBlockCells = std::size_t{1} << 20;
/// Rows that a block of this schema may have: kMaxBlockRows, or fewer for more than 128 fields.
std::size_t max_block_rows(const Schema& schema);

/// Encodes rows as a block: the payload of the log and of a Data message
/// (docs/formats/block.md). The sequence numbers are left out when they are empty or contiguous,
/// unless `with_seq`; nulls keep no value.
/// Requires: columns in the order of batch.schema->fields, every vector rows() long.
/// Errors: Invalid for no rows, more than max_block_rows(), more text than kMaxBlockText, or
/// vectors
///         that do not fit the schema.
Result<std::string> encode_block(const Batch& batch, DeviceIds& devices, bool with_seq = false);

/// Decodes outside bytes. `schema` is the one whose version the block names: ask
/// block_schema_version() first. A field that the block lacks is null on every row. `seq` stays
/// empty when the block has none: the caller knows the first.
/// Errors: Corrupt for anything that encode_block could not have written with this schema;
///         nothing is allocated that the block's own length and row count do not justify.
Result<Batch> decode_block(base::ByteView block, SchemaPtr schema, const DeviceIds& devices);

/// What the first eight bytes say. Errors: Corrupt.
struct BlockHeader {
  std::uint16_t rows = 0, schema_version = 0, columns = 0;
};
Result<BlockHeader> block_header(base::ByteView block);

}  // namespace infiniedge::record
