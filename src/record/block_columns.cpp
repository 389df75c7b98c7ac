// SPDX-License-Identifier: Apache-2.0
#include "record/block_columns.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "record/bitpack.hpp"

namespace infiniedge::record {
namespace {

constexpr std::size_t kForHead = 9;     // i64 base, u8 width
constexpr std::size_t kDeltaHead = 17;  // i64 first, i64 min_delta, u8 width
constexpr std::size_t kMaxDictEntry = 65'535;

std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

/// Differences wrap, so that any two neighbours have one.
std::int64_t delta(std::int64_t from, std::int64_t to) {
  return static_cast<std::int64_t>(bits(to) - bits(from));
}

struct Extent {
  std::int64_t low, high;
  unsigned width() const { return bit_width(bits(high) - bits(low)); }
};

Extent extent_of(std::span<const std::int64_t> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

Extent extent_of_deltas(std::span<const std::int64_t> values) {
  Extent extent{INT64_MAX, INT64_MIN};
  for (std::size_t i = 1; i < values.size(); ++i) {
    const std::int64_t d = delta(values[i - 1], values[i]);
    extent.low = std::min(extent.low, d);
    extent.high = std::max(extent.high, d);
  }
  return extent;
}

void put_for(std::string& out, std::span<const std::int64_t> values, Extent extent) {
  base::put(out, extent.low);
  base::put(out, static_cast<std::uint8_t>(extent.width()));
  std::vector<std::uint64_t> offsets(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) offsets[i] = bits(values[i]) - bits(extent.low);
  pack_bits(out, offsets, extent.width());
}

void put_delta_for(std::string& out, std::span<const std::int64_t> values, Extent extent) {
  base::put(out, values.front());
  base::put(out, extent.low);
  base::put(out, static_cast<std::uint8_t>(extent.width()));
  std::vector<std::uint64_t> offsets(values.size() - 1);
  for (std::size_t i = 1; i < values.size(); ++i) {
    offsets[i - 1] = bits(delta(values[i - 1], values[i])) - bits(extent.low);
  }
  pack_bits(out, offsets, extent.width());
}

/// Checks that `data` is exactly `count` packed values behind a width.
Fault packed(base::ByteView data, std::size_t count, unsigned width) {
  if (width > 64) return "a bit width above 64";
  if (data.size() != packed_bytes(count, width)) return "packed values of the wrong length";
  return std::nullopt;
}

Fault read_for(base::ByteView data, std::size_t rows, std::vector<std::int64_t>& out) {
  if (data.size() < kForHead) return "too short";
  const auto base = base::get<std::uint64_t>(data, 0);
  const auto width = base::get<std::uint8_t>(data, 8);
  if (auto fault = packed(data.subspan(kForHead), rows, width)) return fault;
  out.reserve(rows);
  unpack_bits(data.subspan(kForHead), rows, width, [&out, base](std::uint64_t offset) {
    out.push_back(static_cast<std::int64_t>(base + offset));
  });
  return std::nullopt;
}

Fault read_delta_for(base::ByteView data, std::size_t rows, std::vector<std::int64_t>& out) {
  if (data.size() < kDeltaHead) return "too short";
  auto value = base::get<std::uint64_t>(data, 0);
  const auto least = base::get<std::uint64_t>(data, 8);
  const auto width = base::get<std::uint8_t>(data, 16);
  if (auto fault = packed(data.subspan(kDeltaHead), rows - 1, width)) return fault;
  out.reserve(rows);
  out.push_back(static_cast<std::int64_t>(value));
  unpack_bits(data.subspan(kDeltaHead), rows - 1, width,
              [&out, &value, least](std::uint64_t offset) {
                value += least + offset;
                out.push_back(static_cast<std::int64_t>(value));
              });
  return std::nullopt;
}

/// Distinct values in order of appearance, and which one each row has.
struct Dictionary {
  std::vector<std::string_view> entries;
  std::vector<std::int64_t> index;
  std::size_t bytes = sizeof(std::uint16_t);
};

/// Nothing if a dictionary cannot hold the values or is sure not to pay.
std::optional<Dictionary> make_dictionary(const Binary& values, const std::vector<bool>& nulls) {
  Dictionary dictionary;
  std::unordered_map<std::string_view, std::int64_t> known;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    // A null repeats the entry before it; entry 0 exists by the time it is read.
    if (nulls.empty() || !nulls[i]) {
      const std::string_view value = values[i];
      const auto [entry, added] =
          known.try_emplace(value, static_cast<std::int64_t>(dictionary.entries.size()));
      if (added) {
        if (value.size() > kMaxDictEntry || dictionary.entries.size() > values.size() / 2) {
          return std::nullopt;
        }
        dictionary.entries.push_back(value);
        dictionary.bytes += sizeof(std::uint16_t) + value.size();
      }
      last = entry->second;
    }
    dictionary.index.push_back(last);
  }
  if (dictionary.entries.empty()) return std::nullopt;
  return dictionary;
}

void put_dictionary(std::string& out, const Dictionary& dictionary, Extent extent) {
  base::put(out, static_cast<std::uint16_t>(dictionary.entries.size()));
  for (const std::string_view entry : dictionary.entries) {
    base::put(out, static_cast<std::uint16_t>(entry.size()));
    out.append(entry);
  }
  put_for(out, dictionary.index, extent);
}

Fault read_dictionary(const EncodedColumn& column, std::size_t& text_left, Binary& out) {
  base::Reader reader(column.data);
  std::uint16_t count = 0;
  if (!reader.read(count) || count == 0) return "a dictionary without entries";
  std::vector<std::string_view> entries;
  entries.reserve(std::min<std::size_t>(count, reader.left() / sizeof(std::uint16_t)));
  for (std::uint16_t i = 0; i < count; ++i) {
    std::uint16_t length = 0;
    base::ByteView text;
    if (!reader.read(length) || !reader.read_bytes(length, text)) return "a dictionary cut short";
    entries.push_back(base::as_text(text));
  }
  std::vector<std::int64_t> index;
  if (auto fault = read_for(column.data.subspan(reader.position()), column.rows, index)) {
    return fault;
  }
  for (std::size_t row = 0; row < index.size(); ++row) {
    const std::int64_t i = index[row];
    if (i < 0 || i >= count) return "an index past the dictionary";
    const std::string_view entry =
        column.is_null(row) ? std::string_view{} : entries[static_cast<std::size_t>(i)];
    if (entry.size() > text_left) return "more text than a block may expand to";
    text_left -= entry.size();
    out.push_back(entry);
  }
  return std::nullopt;
}

Fault read_bytes(const EncodedColumn& column, std::size_t& text_left, Binary& out) {
  const std::size_t head = (column.rows + 1) * sizeof(std::uint32_t);
  if (column.data.size() < head) return "offsets cut short";
  const base::ByteView text = column.data.subspan(head);
  if (text.size() > text_left) return "more text than a block may expand to";
  std::vector<std::uint32_t> offsets(column.rows + 1);
  std::memcpy(offsets.data(), column.data.data(), head);
  if (offsets.front() != 0 || offsets.back() != text.size() ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    return "offsets that do not fit the text";
  }
  text_left -= text.size();
  out.offsets = std::move(offsets);
  out.data = std::string(base::as_text(text));
  return std::nullopt;
}

}  // namespace

Encoding encode_ints(std::string& out, std::span<const std::int64_t> values) {
  const Extent extent = extent_of(values);
  if (extent.low == extent.high) {
    base::put(out, extent.low);
    return Encoding::Const;
  }
  const Extent deltas = extent_of_deltas(values);
  const std::size_t plain = kForHead + packed_bytes(values.size(), extent.width());
  const std::size_t delta = kDeltaHead + packed_bytes(values.size() - 1, deltas.width());
  if (plain <= delta) {
    put_for(out, values, extent);
    return Encoding::For;
  }
  put_delta_for(out, values, deltas);
  return Encoding::DeltaFor;
}

Encoding encode_floats(std::string& out, std::span<const double> values) {
  const auto first = std::bit_cast<std::uint64_t>(values.front());
  const bool same = std::all_of(values.begin(), values.end(), [first](double value) {
    return std::bit_cast<std::uint64_t>(value) == first;
  });
  if (same) {
    base::put(out, first);
    return Encoding::Const;
  }
  const auto raw = std::as_bytes(values);
  out.append(base::as_text(raw));
  return Encoding::Double;
}

Encoding encode_text(std::string& out, const Binary& values, const std::vector<bool>& nulls) {
  const std::size_t plain = values.offsets.size() * sizeof(std::uint32_t) + values.data.size();
  if (const auto dictionary = make_dictionary(values, nulls)) {
    const Extent extent = extent_of(dictionary->index);
    const std::size_t size =
        dictionary->bytes + kForHead + packed_bytes(values.size(), extent.width());
    if (size < plain) {
      put_dictionary(out, *dictionary, extent);
      return Encoding::Dict;
    }
  }
  std::uint32_t end = 0;
  std::string text;
  base::put(out, end);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (nulls.empty() || !nulls[i]) text.append(values[i]);
    end = static_cast<std::uint32_t>(text.size());
    base::put(out, end);
  }
  out += text;
  return Encoding::Bytes;
}

Fault decode_ints(const EncodedColumn& column, std::vector<std::int64_t>& out) {
  switch (column.encoding) {
    case Encoding::Const:
      if (column.data.size() != sizeof(std::int64_t)) return "a constant of the wrong length";
      out.assign(column.rows, base::get<std::int64_t>(column.data, 0));
      return std::nullopt;
    case Encoding::For:
      return read_for(column.data, column.rows, out);
    case Encoding::DeltaFor:
      return read_delta_for(column.data, column.rows, out);
    default:
      return "an encoding that integers do not have";
  }
}

Fault decode_floats(const EncodedColumn& column, std::vector<double>& out) {
  switch (column.encoding) {
    case Encoding::Const:
      if (column.data.size() != sizeof(double)) return "a constant of the wrong length";
      out.assign(column.rows, base::get<double>(column.data, 0));
      return std::nullopt;
    case Encoding::Double:
      if (column.data.size() != column.rows * sizeof(double)) return "doubles of the wrong length";
      out.resize(column.rows);
      std::memcpy(out.data(), column.data.data(), column.data.size());
      return std::nullopt;
    default:
      return "an encoding that doubles do not have";
  }
}

Fault decode_text(const EncodedColumn& column, std::size_t& text_left, Binary& out) {
  switch (column.encoding) {
    case Encoding::Dict:
      return read_dictionary(column, text_left, out);
    case Encoding::Bytes:
      return read_bytes(column, text_left, out);
    default:
      return "an encoding that text does not have";
  }
}

}  // namespace infiniedge::record
