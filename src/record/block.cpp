// SPDX-License-Identifier: Apache-2.0
#include "record/block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "record/block_columns.hpp"
#include "record/value.hpp"

namespace infiniedge::record {
namespace {

constexpr std::uint8_t kHasNulls = 1;
constexpr std::size_t kBlockHeader = 8;
constexpr std::size_t kColumnHeader = 8;

Error corrupt(std::string_view what) {
  return {Code::Corrupt, fmt::format("block: {}; the sender or the medium damaged it", what)};
}

/// Writes the blocks's columns one after the other.
class Writer {
 public:
  explicit Writer(std::size_t rows) : rows_(rows) {}

  void ints(std::uint16_t id, std::span<const std::int64_t> values,
            const std::vector<bool>& nulls) {
    begin(id, nulls);
    finish(nulls.empty() ? encode_ints(out_, values) : encode_ints(out_, filled(values, nulls)));
  }
  void floats(std::uint16_t id, std::span<const double> values, const std::vector<bool>& nulls) {
    begin(id, nulls);
    finish(nulls.empty() ? encode_floats(out_, values)
                         : encode_floats(out_, filled(values, nulls)));
  }
  void text(std::uint16_t id, const Binary& values, const std::vector<bool>& nulls) {
    begin(id, nulls);
    finish(encode_text(out_, values, nulls));
  }

  std::string take(std::uint16_t schema_version) {
    std::string head;
    base::put(head, static_cast<std::uint16_t>(rows_));
    base::put(head, schema_version);
    base::put(head, columns_);
    base::put(head, std::uint16_t{0});
    return head + out_;
  }

 private:
  /// A null repeats the value before it, so that it costs no width.
  template <class T>
  std::vector<T> filled(std::span<const T> values, const std::vector<bool>& nulls) {
    const auto first = std::find(nulls.begin(), nulls.end(), false) - nulls.begin();
    std::vector<T> out(values.begin(), values.end());
    // Leading nulls have no value before them: they take the first one behind.
    T last = static_cast<std::size_t>(first) < values.size()
                 ? values[static_cast<std::size_t>(first)]
                 : T{};
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (nulls[i]) {
        out[i] = last;
      } else {
        last = out[i];
      }
    }
    return out;
  }

  void begin(std::uint16_t id, const std::vector<bool>& nulls) {
    const bool any = std::find(nulls.begin(), nulls.end(), true) != nulls.end();
    column_ = out_.size();
    base::put(out_, id);
    base::put(out_, std::uint8_t{0});
    base::put(out_, any ? kHasNulls : std::uint8_t{0});
    base::put(out_, std::uint32_t{0});
    if (!any) return;
    std::string bitmap((rows_ + 7) / 8, '\0');
    for (std::size_t i = 0; i < rows_; ++i) {
      if (nulls[i]) bitmap[i / 8] = static_cast<char>(bitmap[i / 8] | 1 << (i % 8));
    }
    out_ += bitmap;
  }
  void finish(Encoding encoding) {
    const auto bytes = static_cast<std::uint32_t>(out_.size() - column_ - kColumnHeader);
    out_[column_ + 2] = static_cast<char>(encoding);
    std::memcpy(out_.data() + column_ + 4, &bytes, sizeof bytes);
    ++columns_;
  }

  std::size_t rows_;
  std::uint16_t columns_ = 0;
  std::size_t column_ = 0;
  std::string out_;
};

bool contiguous(const std::vector<std::uint64_t>& seq) {
  for (std::size_t i = 1; i < seq.size(); ++i) {
    if (seq[i] != seq[i - 1] + 1) return false;
  }
  return true;
}

bool all_null(const Column& column) {
  return !column.nulls.empty() &&
         std::find(column.nulls.begin(), column.nulls.end(), false) == column.nulls.end();
}

Result<void> encodable(const Batch& batch) {
  INFINIEDGE_TRY(check(batch));
  const std::size_t most = max_block_rows(*batch.schema);
  if (batch.rows() == 0 || batch.rows() > most) {
    return Error{Code::Invalid, fmt::format("a block of stream {} holds 1 to {} rows, not {}; "
                                            "split the batch",
                                            batch.schema->stream, most, batch.rows())};
  }
  std::size_t text = 0;
  for (const Column& column : batch.columns) {
    if (const auto* values = std::get_if<Binary>(&column.values)) text += values->data.size();
  }
  if (text > kMaxBlockText) {
    return Error{Code::Invalid, fmt::format("{} bytes of text in one block, at most {} fit; split "
                                            "the batch",
                                            text, kMaxBlockText)};
  }
  return {};
}

void write_own_columns(Writer& writer, const Batch& batch, DeviceIds& devices, bool with_seq) {
  std::vector<std::int64_t> ids;
  ids.reserve(batch.devices.size());
  std::vector<bool> used(batch.devices.size(), false);
  for (const std::uint32_t index : batch.device) used[index] = true;
  for (std::size_t i = 0; i < batch.devices.size(); ++i) {
    ids.push_back(used[i] ? devices.id_of(batch.devices[i]) : 0);
  }
  std::vector<std::int64_t> values(batch.rows());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = ids[batch.device[i]];
  writer.ints(kDeviceField, values, {});
  writer.ints(kTsField, batch.ts, {});
  if (!batch.seq.empty() && (with_seq || !contiguous(batch.seq))) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<std::int64_t>(batch.seq[i]);
    }
    writer.ints(kSeqField, values, {});
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::int64_t>(batch.quality[i]);
  }
  writer.ints(kQualityField, values, {});
}

/// Reads a block's columns into a batch; each method judges what it reads.
class Loader {
 public:
  Loader(SchemaPtr schema, std::size_t rows, const DeviceIds& devices)
      : batch_(make_batch(std::move(schema))), rows_(rows), devices_(devices) {
    seen_.resize(batch_.columns.size(), false);
  }

  Result<void> column(base::Reader& reader) {
    std::uint16_t id = 0;
    std::uint8_t encoding = 0, flags = 0;
    std::uint32_t bytes = 0;
    base::ByteView data;
    if (!reader.read(id) || !reader.read(encoding) || !reader.read(flags) || !reader.read(bytes) ||
        !reader.read_bytes(bytes, data)) {
      return corrupt("a column reaches past its end");
    }
    if (flags > kHasNulls) return corrupt("a column has unknown flags");
    std::vector<bool> nulls;
    if (flags == kHasNulls) INFINIEDGE_TRY(bitmap(data, nulls));
    const EncodedColumn encoded{static_cast<Encoding>(encoding), data, rows_, &nulls};
    if (id < kFirstField) {
      if (!nulls.empty()) return corrupt("an own column has nulls");
      return own(id, encoded);
    }
    return field(id, encoded, nulls);
  }

  Result<Batch> take() {
    if (batch_.device.empty() || batch_.ts.empty() || batch_.quality.empty()) {
      return corrupt("device, ts or _q is missing");
    }
    for (std::size_t c = 0; c < seen_.size(); ++c) {
      if (!seen_[c]) fill_nulls(batch_.columns[c]);
    }
    return std::move(batch_);
  }

 private:
  Result<void> bitmap(base::ByteView& data, std::vector<bool>& nulls) {
    const std::size_t bytes = (rows_ + 7) / 8;
    if (data.size() < bytes) return corrupt("a null bitmap is too short");
    nulls.resize(rows_);
    for (std::size_t i = 0; i < rows_; ++i) {
      nulls[i] = (std::to_integer<unsigned>(data[i / 8]) >> (i % 8) & 1) != 0;
    }
    data = data.subspan(bytes);
    return {};
  }

  Result<void> own(std::uint16_t id, const EncodedColumn& encoded) {
    std::vector<std::int64_t> values;
    if (auto fault = decode_ints(encoded, values)) return corrupt(*fault);
    switch (id) {
      case kDeviceField:
        return take_devices(values);
      case kTsField:
        if (!batch_.ts.empty()) return corrupt("ts stands twice");
        batch_.ts = std::move(values);
        return {};
      case kSeqField:
        return take_seq(values);
      case kQualityField:
        return take_quality(values);
      default:
        return corrupt(fmt::format("field {} is reserved", id));
    }
  }

  Result<void> take_devices(const std::vector<std::int64_t>& values) {
    if (!batch_.device.empty()) return corrupt("device stands twice");
    std::unordered_map<std::int64_t, std::uint32_t> index;
    for (const std::int64_t id : values) {
      auto [entry, added] = index.try_emplace(id, static_cast<std::uint32_t>(index.size()));
      if (added) {
        const bool fits = id >= 0 && id <= std::int64_t{UINT32_MAX};
        const auto name = fits ? devices_.name_of(static_cast<std::uint32_t>(id)) : std::nullopt;
        if (!name) return corrupt(fmt::format("device {} was never defined", id));
        batch_.devices.emplace_back(*name);
      }
      batch_.device.push_back(entry->second);
    }
    return {};
  }
  Result<void> take_seq(const std::vector<std::int64_t>& values) {
    if (!batch_.seq.empty()) return corrupt("_seq stands twice");
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] <= 0 || (i > 0 && values[i] <= values[i - 1])) {
        return corrupt("_seq does not ascend");
      }
      batch_.seq.push_back(static_cast<std::uint64_t>(values[i]));
    }
    return {};
  }
  Result<void> take_quality(const std::vector<std::int64_t>& values) {
    if (!batch_.quality.empty()) return corrupt("_q stands twice");
    for (const std::int64_t value : values) {
      if (value < 0 || value > static_cast<int>(Quality::Bad))
        return corrupt("_q is not a quality");
      batch_.quality.push_back(static_cast<Quality>(value));
    }
    return {};
  }

  Result<void> field(std::uint16_t id, const EncodedColumn& encoded,
                     const std::vector<bool>& nulls) {
    const auto& fields = batch_.schema->fields;
    const auto found =
        std::find_if(fields.begin(), fields.end(), [id](const Field& f) { return f.id == id; });
    if (found == fields.end()) return corrupt(fmt::format("field {} is not in the schema", id));
    const auto index = static_cast<std::size_t>(found - fields.begin());
    if (seen_[index]) return corrupt(fmt::format("field {} stands twice", found->name));
    seen_[index] = true;
    Column& column = batch_.columns[index];
    column.nulls = nulls;
    if (auto fault = decode_values(encoded, *found, column)) {
      return corrupt(fmt::format("field {}: {}", found->name, *fault));
    }
    return {};
  }

  Fault decode_values(const EncodedColumn& encoded, const Field& field, Column& column) {
    if (auto* floats = std::get_if<std::vector<double>>(&column.values)) {
      return decode_floats(encoded, *floats);
    }
    if (auto* text = std::get_if<Binary>(&column.values)) {
      return decode_text(encoded, text_left_, *text);
    }
    if (auto fault = decode_ints(encoded, column.ints())) return fault;
    if (field.type == Type::Bool) {
      for (const std::int64_t value : column.ints()) {
        if (value != 0 && value != 1) return "a bool is neither 0 nor 1";
      }
    }
    return std::nullopt;
  }

  void fill_nulls(Column& column) {
    std::visit(
        [this](auto& values) {
          if constexpr (std::is_same_v<std::decay_t<decltype(values)>, Binary>) {
            values.offsets.assign(rows_ + 1, 0);
          } else {
            values.assign(rows_, 0);
          }
        },
        column.values);
    column.nulls.assign(rows_, true);
  }

  Batch batch_;
  std::size_t rows_;
  const DeviceIds& devices_;
  std::vector<bool> seen_;
  std::size_t text_left_ = kMaxBlockText;
};

}  // namespace

std::size_t max_block_rows(const Schema& schema) {
  const std::size_t fields = std::max<std::size_t>(schema.fields.size(), 1);
  return std::clamp<std::size_t>(kMaxBlockCells / fields, 1, kMaxBlockRows);
}

Result<std::string> encode_block(const Batch& batch, DeviceIds& devices, bool with_seq) {
  INFINIEDGE_TRY(encodable(batch));
  Writer writer(batch.rows());
  write_own_columns(writer, batch, devices, with_seq);
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    const Column& column = batch.columns[c];
    const std::uint16_t id = batch.schema->fields[c].id;
    if (all_null(column)) continue;
    if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&column.values)) {
      writer.ints(id, *ints, column.nulls);
    } else if (const auto* floats = std::get_if<std::vector<double>>(&column.values)) {
      writer.floats(id, *floats, column.nulls);
    } else {
      writer.text(id, column.binary(), column.nulls);
    }
  }
  return writer.take(batch.schema->version);
}

Result<BlockHeader> block_header(base::ByteView block) {
  if (block.size() < kBlockHeader) return corrupt("shorter than its header");
  const BlockHeader header{.rows = base::get<std::uint16_t>(block, 0),
                           .schema_version = base::get<std::uint16_t>(block, 2),
                           .columns = base::get<std::uint16_t>(block, 4)};
  if (header.rows == 0 || header.rows > kMaxBlockRows) return corrupt("impossible row count");
  if (base::get<std::uint16_t>(block, 6) != 0) return corrupt("reserved bytes are not zero");
  return header;
}

Result<Batch> decode_block(base::ByteView block, SchemaPtr schema, const DeviceIds& devices) {
  auto header = block_header(block);
  if (!header) return std::move(header).error();
  if (header->schema_version != schema->version) {
    return corrupt(
        fmt::format("has schema version {}, not {}", header->schema_version, schema->version));
  }
  if (header->rows > max_block_rows(*schema)) return corrupt("more rows than so many fields allow");
  base::Reader reader(block.subspan(kBlockHeader));
  Loader loader(std::move(schema), header->rows, devices);
  for (std::uint16_t c = 0; c < header->columns; ++c) INFINIEDGE_TRY(loader.column(reader));
  if (reader.left() != 0) return corrupt("bytes behind the last column");
  return loader.take();
}

}  // namespace infiniedge::record
