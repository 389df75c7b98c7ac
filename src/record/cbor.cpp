// SPDX-License-Identifier: Apache-2.0
#include "record/cbor.hpp"

#include <fmt/format.h>

#include <bit>

#include "base/utf8.hpp"

namespace infiniedge::record {
namespace {

enum Major : unsigned { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };
constexpr unsigned kFalse = 20, kTrue = 21, kSingle = 26, kDouble = 27;

template <class T>
void put_big_endian(std::string& out, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
  }
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = base::utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

void CborWriter::head(unsigned major, std::uint64_t argument) {
  const auto first = [this, major](unsigned info) {
    out_.push_back(static_cast<char>(major << 5 | info));
  };
  if (argument < 24) {
    first(static_cast<unsigned>(argument));
  } else if (argument <= UINT8_MAX) {
    first(24);
    put_big_endian(out_, static_cast<std::uint8_t>(argument));
  } else if (argument <= UINT16_MAX) {
    first(25);
    put_big_endian(out_, static_cast<std::uint16_t>(argument));
  } else if (argument <= UINT32_MAX) {
    first(26);
    put_big_endian(out_, static_cast<std::uint32_t>(argument));
  } else {
    first(27);
    put_big_endian(out_, argument);
  }
}

void CborWriter::i64(std::int64_t value) {
  if (value >= 0) return head(kUnsigned, static_cast<std::uint64_t>(value));
  head(kNegative, ~static_cast<std::uint64_t>(value));
}

void CborWriter::number(double value) {
  out_.push_back(static_cast<char>(kSimple << 5 | kDouble));
  put_big_endian(out_, std::bit_cast<std::uint64_t>(value));
}

void CborWriter::text(std::string_view value) {
  head(kText, value.size());
  out_.append(value);
}

void CborWriter::bytes(base::ByteView value) {
  head(kBytes, value.size());
  out_.append(base::as_text(value));
}

Error CborReader::fault(std::string_view what) const {
  return {Code::Corrupt, fmt::format("CBOR byte {}: {}", position_, what)};
}

Result<CborReader::Head> CborReader::head() {
  if (left() == 0) return fault("an item is missing");
  const auto first = std::to_integer<unsigned>(bytes_[position_]);
  Head head{.major = first >> 5, .info = first & 31};
  std::size_t length = 0;
  if (head.info < 24) {
    head.argument = head.info;
  } else if (head.info < 28) {
    length = std::size_t{1} << (head.info - 24);
  } else {
    return fault("indefinite or reserved lengths are not used here");
  }
  if (left() < 1 + length) return fault("an item is cut short");
  for (std::size_t i = 0; i < length; ++i) {
    head.argument = head.argument << 8 | std::to_integer<std::uint64_t>(bytes_[position_ + 1 + i]);
  }
  position_ += 1 + length;
  return head;
}

Result<std::uint64_t> CborReader::expect(unsigned major, std::string_view what) {
  auto item = head();
  if (!item) return std::move(item).error();
  if (item->major != major) return fault(what);
  return item->argument;
}

Result<std::uint64_t> CborReader::map() {
  auto entries = expect(kMap, "a map was expected");
  if (entries && *entries > left() / 2) return fault("a map larger than its bytes");
  return entries;
}

Result<std::uint64_t> CborReader::array() {
  auto items = expect(kArray, "an array was expected");
  if (items && *items > left()) return fault("an array larger than its bytes");
  return items;
}

Result<std::uint64_t> CborReader::u64() { return expect(kUnsigned, "a number ≥ 0 was expected"); }

Result<std::uint64_t> CborReader::u64(std::uint64_t max) {
  auto value = u64();
  if (value && *value > max) return fault(fmt::format("a number above {}", max));
  return value;
}

Result<std::int64_t> CborReader::i64() {
  auto item = head();
  if (!item) return std::move(item).error();
  if (item->major > kNegative || item->argument > std::uint64_t{INT64_MAX}) {
    return fault("a 64-bit integer was expected");
  }
  const auto value = static_cast<std::int64_t>(item->argument);
  return item->major == kNegative ? ~value : value;
}

Result<double> CborReader::number() {
  auto item = head();
  if (!item) return std::move(item).error();
  if (item->major == kUnsigned) return static_cast<double>(item->argument);
  if (item->major == kNegative) return -1.0 - static_cast<double>(item->argument);
  if (item->major == kSimple && item->info == kDouble) {
    return std::bit_cast<double>(item->argument);
  }
  if (item->major == kSimple && item->info == kSingle) {
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(item->argument)));
  }
  return fault("a number was expected");
}

Result<base::ByteView> CborReader::string(unsigned major, std::string_view what) {
  auto length = expect(major, what);
  if (!length) return std::move(length).error();
  if (*length > left()) return fault("a string is cut short");
  const base::ByteView out = bytes_.subspan(position_, *length);
  position_ += *length;
  return out;
}

Result<std::string> CborReader::text() {
  auto raw = string(kText, "text was expected");
  if (!raw) return std::move(raw).error();
  std::string out{base::as_text(*raw)};
  if (!is_utf8(out)) return fault("text that is not UTF-8");
  return out;
}

Result<base::ByteView> CborReader::bytes() { return string(kBytes, "bytes were expected"); }

Result<bool> CborReader::boolean() {
  auto item = head();
  if (!item) return std::move(item).error();
  if (item->major != kSimple || (item->info != kFalse && item->info != kTrue)) {
    return fault("true or false was expected");
  }
  return item->info == kTrue;
}

Result<void> CborReader::skip() {
  // A count instead of recursion: nesting cannot exhaust the stack. Each pending item needs at
  // least one byte, so the count cannot overflow before the bytes run out.
  for (std::uint64_t pending = 1; pending > 0; --pending) {
    auto item = head();
    if (!item) return std::move(item).error();
    if (item->major == kBytes || item->major == kText) {
      if (item->argument > left()) return fault("a string is cut short");
      position_ += item->argument;
    } else if (item->major == kArray || item->major == kMap) {
      if (item->argument > left()) return fault("a collection larger than its bytes");
      pending += item->major == kMap ? 2 * item->argument : item->argument;
    } else if (item->major == kTag) {
      ++pending;
    }
  }
  return {};
}

}  // namespace infiniedge::record
