// SPDX-License-Identifier: Apache-2.0
#include "store/value_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>

namespace infiniedge::store {
namespace {

using duck::TypeId;
using Wide = __int128;

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > bytes.size() ? '=' : kDigits[group >> (18 - 6 * j) & 63];
    }
  }
  return out;
}

std::string digits(unsigned __int128 value) {
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return out;
}

std::string wide_text(Wide value, int scale) {
  const bool negative = value < 0;
  std::string out = digits(negative ? -static_cast<unsigned __int128>(value)
                                    : static_cast<unsigned __int128>(value));
  if (scale > 0) {
    const auto wanted = static_cast<std::size_t>(scale) + 1;
    if (out.size() < wanted) out.insert(0, wanted - out.size(), '0');
    out.insert(out.size() - static_cast<std::size_t>(scale), ".");
  }
  return negative ? "-" + out : out;
}

Wide wide(duck::HugeInt value) { return static_cast<Wide>(value.upper) << 64 | value.lower; }

std::string date_text(std::int64_t days) {
  if (days == std::numeric_limits<std::int32_t>::max()) return "infinity";
  if (days == -std::numeric_limits<std::int32_t>::max()) return "-infinity";
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string clock_text(std::int64_t us) {
  const std::int64_t seconds = us / 1'000'000, fraction = us % 1'000'000;
  std::string out =
      fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction != 0) {
    out += fmt::format(".{:06}", fraction);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out;
}

std::string interval_text(const duck::Interval& value) {
  std::string out = "P";
  if (value.months != 0) out += fmt::format("{}M", value.months);
  if (value.days != 0) out += fmt::format("{}D", value.days);
  if (value.micros != 0 || out == "P") {
    std::string seconds = wide_text(value.micros, 6);
    seconds.erase(seconds.find_last_not_of('0') + 1);
    if (seconds.ends_with('.')) seconds.pop_back();
    out += "T" + seconds + "S";
  }
  return out;
}

std::string uuid_text(duck::HugeInt value) {
  // Stored with the top bit flipped, so that it sorts as text does.
  const auto upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63);
  std::string out = fmt::format("{:016x}{:016x}", upper, value.lower);
  for (const std::size_t at : {20, 16, 12, 8}) out.insert(at, "-");
  return out;
}

std::string float_text(double value, bool json, bool single) {
  if (!std::isfinite(value)) return json ? "null" : fmt::format("{}", value);
  std::string out =
      single ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
  return out;
}

template <class T>
T at(const duck::Api& api, duck::Vector vector, std::size_t row) {
  return static_cast<const T*>(api.vector_get_data(vector))[row];
}

std::int64_t integer(const duck::Api& api, TypeId stored, duck::Vector vector, std::size_t row) {
  switch (stored) {
    case TypeId::TinyInt:
      return at<std::int8_t>(api, vector, row);
    case TypeId::SmallInt:
      return at<std::int16_t>(api, vector, row);
    case TypeId::Integer:
    case TypeId::Date:
      return at<std::int32_t>(api, vector, row);
    case TypeId::UTinyInt:
      return at<std::uint8_t>(api, vector, row);
    case TypeId::USmallInt:
      return at<std::uint16_t>(api, vector, row);
    case TypeId::UInteger:
      return at<std::uint32_t>(api, vector, row);
    default:
      return at<std::int64_t>(api, vector, row);
  }
}

/// Numbers and booleans: written bare in JSON. Empty: not one of them.
std::string bare_text(const duck::Api& api, const ValueType& type, duck::Vector vector,
                      std::size_t row, bool json) {
  switch (type.id) {
    case TypeId::Boolean:
      return at<bool>(api, vector, row) ? "true" : "false";
    case TypeId::Float:
      return float_text(at<float>(api, vector, row), json, true);
    case TypeId::Double:
      return float_text(at<double>(api, vector, row), json, false);
    case TypeId::Decimal:
      return type.stored == TypeId::HugeInt
                 ? wide_text(wide(at<duck::HugeInt>(api, vector, row)), type.scale)
                 : wide_text(integer(api, type.stored, vector, row), type.scale);
    case TypeId::HugeInt:
      return wide_text(wide(at<duck::HugeInt>(api, vector, row)), 0);
    case TypeId::UHugeInt:
      return digits(static_cast<unsigned __int128>(wide(at<duck::HugeInt>(api, vector, row))));
    case TypeId::UBigInt:
      return fmt::format("{}", at<std::uint64_t>(api, vector, row));
    case TypeId::TinyInt:
    case TypeId::SmallInt:
    case TypeId::Integer:
    case TypeId::BigInt:
    case TypeId::UTinyInt:
    case TypeId::USmallInt:
    case TypeId::UInteger:
      return fmt::format("{}", integer(api, type.id, vector, row));
    default:
      return {};
  }
}

std::string quoted_text(const duck::Api& api, const ValueType& type, duck::Vector vector,
                        std::size_t row) {
  switch (type.id) {
    case TypeId::Varchar:
      return std::string(at<duck::String>(api, vector, row).view());
    case TypeId::Blob:
      return base64(at<duck::String>(api, vector, row).view());
    case TypeId::Timestamp:
    case TypeId::TimestampTz:
      return rfc3339(at<std::int64_t>(api, vector, row));
    case TypeId::TimestampS:
      return rfc3339(at<std::int64_t>(api, vector, row) * 1'000'000);
    case TypeId::TimestampMs:
      return rfc3339(at<std::int64_t>(api, vector, row) * 1'000);
    case TypeId::TimestampNs:
      return rfc3339(at<std::int64_t>(api, vector, row) / 1'000);
    case TypeId::Date:
      return date_text(at<std::int32_t>(api, vector, row));
    case TypeId::Time:
      return clock_text(at<std::int64_t>(api, vector, row));
    case TypeId::Interval:
      return interval_text(at<duck::Interval>(api, vector, row));
    case TypeId::Uuid:
      return uuid_text(at<duck::HugeInt>(api, vector, row));
    case TypeId::Enum: {
      const auto index = static_cast<std::size_t>(integer(api, type.stored, vector, row));
      return index < type.names.size() ? type.names[index] : std::string();
    }
    default:
      return {};
  }
}

void append_nested(std::string& out, const duck::Api& api, const ValueType& type,
                   duck::Vector vector, std::size_t row) {
  if (type.id == TypeId::Struct) {
    out += '{';
    for (std::size_t i = 0; i < type.children.size(); ++i) {
      if (i > 0) out += ',';
      append_json_text(out, type.names[i]);
      out += ':';
      append_value_text(out, api, type.children[i], api.struct_vector_get_child(vector, i), row,
                        true);
    }
    out += '}';
    return;
  }
  const auto entry = at<duck::ListEntry>(api, vector, row);
  const duck::Vector items = api.list_vector_get_child(vector);
  out += '[';
  for (std::uint64_t i = 0; i < entry.length; ++i) {
    if (i > 0) out += ',';
    append_value_text(out, api, type.children[0], items, entry.offset + i, true);
  }
  out += ']';
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

std::string rfc3339(std::int64_t us) {
  if (us == std::numeric_limits<std::int64_t>::max()) return "infinity";
  if (us == -std::numeric_limits<std::int64_t>::max()) return "-infinity";
  constexpr std::int64_t kDay = 86'400'000'000;
  const std::int64_t days = us >= 0 ? us / kDay : -((kDay - 1 - us) / kDay);
  return date_text(days) + "T" + clock_text(us - days * kDay) + "Z";
}

void append_value_text(std::string& out, const duck::Api& api, const ValueType& type,
                       duck::Vector vector, std::size_t row, bool json) {
  const std::uint64_t* validity = api.vector_get_validity(vector);
  const bool null = type.id == TypeId::Null ||
                    (validity != nullptr && (validity[row / 64] >> (row % 64) & 1) == 0);
  if (null) {
    if (json) out += "null";
    return;
  }
  if (type.id == TypeId::List || type.id == TypeId::Map || type.id == TypeId::Struct) {
    append_nested(out, api, type, vector, row);
    return;
  }
  if (const std::string bare = bare_text(api, type, vector, row, json); !bare.empty()) {
    out += bare;
    return;
  }
  const std::string value = quoted_text(api, type, vector, row);
  if (json) {
    append_json_text(out, value);
  } else {
    out += value;
  }
}

}  // namespace infiniedge::store
