// SPDX-License-Identifier: Apache-2.0
#include "device/timestamp.hpp"

#include <charconv>
#include <cmath>

namespace infiniedge::device {
namespace {

constexpr std::int64_t kLatest = 9'200'000'000'000'000;  // 2261-07-15, in microseconds.

/// Exactly `digits` digits from the front of `text`.
std::optional<int> take(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *year < 1970 || *year > 2261) return std::nullopt;
  return std::chrono::sys_days{date};
}

/// hh:mm[:ss[.fraction]]; a leap second is the first of the next minute.
std::optional<Micros> take_clock(std::string_view& text) {
  const auto hour = take(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  Micros out = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
  if (!take(text, ":")) return out;
  const auto second = take(text, 2);
  if (!second || *second > 60) return std::nullopt;
  out += Seconds{*second};
  if (!take(text, ".,")) return out;
  int digits = 0;
  std::int64_t micros = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits) {
    if (digits < 6) micros = micros * 10 + (text[0] - '0');
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) micros *= 10;
  return out + Micros{micros};
}

std::optional<Micros> take_offset(std::string_view& text) {
  if (text.empty() || take(text, "Zz")) return Micros{0};
  const bool west = text[0] == '-';
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take(text, 2);
  take(text, ":");
  const auto minutes = take(text, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const Micros span = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return west ? -span : span;
}

}  // namespace

std::optional<Timestamp> parse_time(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, "Tt ")) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return Timestamp{*date} + *clock - *offset;
}

std::optional<Timestamp> time_from_number(std::int64_t number) {
  if (number < 0) return std::nullopt;
  if (number < 100'000'000'000) return from_us(number * 1'000'000);
  if (number < 100'000'000'000'000) return from_us(number * 1000);
  if (number <= kLatest) return from_us(number);
  return from_us(number / 1000);
}

std::optional<Timestamp> time_from_number(double number) {
  if (!(number >= 0) || number > 9.2e18) return std::nullopt;
  if (number < 1e11)
    number *= 1e6;
  else if (number < 1e14)
    number *= 1e3;
  else if (number > static_cast<double>(kLatest))
    number /= 1e3;
  if (number > static_cast<double>(kLatest)) return std::nullopt;
  return from_us(std::llround(number));
}

std::optional<Timestamp> time_from_micros(const Value& value) {
  const auto* micros = std::get_if<std::int64_t>(&value);
  if (micros == nullptr || *micros < 0 || *micros > kLatest) return std::nullopt;
  return from_us(*micros);
}

std::optional<Timestamp> time_from(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return time_from_number(*whole);
  if (const auto* real = std::get_if<double>(&value)) return time_from_number(*real);
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return std::nullopt;
  if (const auto time = parse_time(*text)) return time;
  double number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return time_from_number(number);
}

}  // namespace infiniedge::device
