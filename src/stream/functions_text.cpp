// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "stream/functions.hpp"
#include "stream/kernels.hpp"

namespace infiniedge::stream {
namespace {

using kernels::map_ints;
using kernels::map_text;

constexpr std::string_view kBlank = " \t\r\n";

bool starts_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::int64_t code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(), starts_point);
}

/// Byte offset of the code point with index `n`, or the end.
std::size_t offset_of(std::string_view text, std::int64_t n) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (starts_point(text[at]) && n-- == 0) return at;
  }
  return at;
}

/// From the 1-based code point `start`, `count` of them; what lies outside is empty.
std::string_view part(std::string_view text, std::int64_t start, std::int64_t count) {
  if (start < 1) {
    count = count > 0 ? std::max<std::int64_t>(0, count + std::max<std::int64_t>(start, -count) - 1)
                      : 0;
    start = 1;
  }
  const auto from = offset_of(text, start - 1);
  const auto rest = text.substr(from);
  return rest.substr(0, offset_of(rest, std::max<std::int64_t>(0, count)));
}

Vec substring(const Args& args) {
  return map_text(args, [&](std::size_t i) {
    const auto count = args.size() > 2 ? args[2].integer(i) : std::int64_t{1} << 32;
    return part(args[0].view(i), args[1].integer(i), count);
  });
}

template <int (*Convert)(int)>
Vec convert_ascii(const Args& args) {
  return map_text(args, [&](std::size_t i) {
    std::string text(args[0].view(i));
    for (auto& c : text) {
      if (static_cast<unsigned char>(c) < 0x80) {
        c = static_cast<char>(Convert(static_cast<unsigned char>(c)));
      }
    }
    return text;
  });
}

template <bool Left, bool Right>
Vec trim(const Args& args) {
  return map_text(args, [&](std::size_t i) {
    auto text = args[0].view(i);
    if (Left) text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    if (Right) text = text.substr(0, text.find_last_not_of(kBlank) + 1);
    return text;
  });
}

Vec length(const Args& args) {
  return map_ints(args, Type::Int, [&](std::size_t i) { return code_points(args[0].view(i)); });
}
Vec byte_length(const Args& args) {
  return map_ints(args, Type::Int,
                  [&](std::size_t i) { return static_cast<std::int64_t>(args[0].view(i).size()); });
}

Vec concat(const Args& args) {
  return map_text(args, [&](std::size_t i) {
    std::string text;
    for (std::size_t k = 0; k < args.size(); ++k) text += args[k].view(i);
    return text;
  });
}

Vec replace(const Args& args) {
  return map_text(args, [&](std::size_t i) {
    const auto text = args[0].view(i), from = args[1].view(i), to = args[2].view(i);
    if (from.empty()) return std::string(text);
    std::string out;
    std::size_t at = 0;
    for (auto hit = text.find(from); hit != std::string_view::npos; hit = text.find(from, at)) {
      out.append(text.substr(at, hit - at)).append(to);
      at = hit + from.size();
    }
    return out.append(text.substr(at));
  });
}

Vec split_part(const Args& args) {
  return map_text(args, [&](std::size_t i) {
    auto text = args[0].view(i);
    const auto by = args[1].view(i);
    auto skip = args[2].integer(i) - 1;
    if (by.empty() || skip < 0) return skip == 0 ? text : std::string_view{};
    for (; skip > 0; --skip) {
      const auto hit = text.find(by);
      if (hit == std::string_view::npos) return std::string_view{};
      text.remove_prefix(hit + by.size());
    }
    return text.substr(0, text.find(by));
  });
}

Vec starts_with(const Args& args) {
  return map_ints(args, Type::Bool,
                  [&](std::size_t i) { return args[0].view(i).starts_with(args[1].view(i)); });
}
Vec ends_with(const Args& args) {
  return map_ints(args, Type::Bool,
                  [&](std::size_t i) { return args[0].view(i).ends_with(args[1].view(i)); });
}
Vec contains(const Args& args) {
  return map_ints(args, Type::Bool, [&](std::size_t i) {
    return args[0].view(i).find(args[1].view(i)) != std::string_view::npos;
  });
}
/// 1-based position, 0 if it does not occur.
Vec position(const Args& args) {
  return map_ints(args, Type::Int, [&](std::size_t i) -> std::int64_t {
    const auto at = args[0].view(i).find(args[1].view(i));
    return at == std::string_view::npos ? 0 : code_points(args[0].view(i).substr(0, at)) + 1;
  });
}

/// The value at a JSON pointer (RFC 6901) as text: strings bare, the rest as JSON. Absent, null
/// or not JSON: NULL.
Vec json_value(const Args& args) {
  auto out = Vec::make(Type::String, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    if (args[0].null(i) || args[1].null(i)) {
      out.push_null();
      continue;
    }
    boost::system::error_code error;
    const auto tree = boost::json::parse(args[0].view(i), error);
    const auto* found = error ? nullptr : tree.find_pointer(args[1].view(i), error);
    if (found == nullptr || found->is_null()) {
      out.push_null();
    } else if (const auto* text = found->if_string()) {
      out.push_text(std::string_view(text->data(), text->size()));
    } else {
      out.push_text(boost::json::serialize(*found));
    }
  }
  return out;
}

const std::array kText = std::to_array<Function>({
    {"lower", "s", Type::String, convert_ascii<std::tolower>},
    {"upper", "s", Type::String, convert_ascii<std::toupper>},
    {"trim", "s", Type::String, trim<true, true>},
    {"ltrim", "s", Type::String, trim<true, false>},
    {"rtrim", "s", Type::String, trim<false, true>},
    {"length", "s", Type::Int, length},
    {"byte_length", "b", Type::Int, byte_length},
    {"substr", "si?i", Type::String, substring},
    {"substring", "si?i", Type::String, substring},
    {"concat", "ss*", Type::String, concat},
    {"replace", "sss", Type::String, replace},
    {"split_part", "ssi", Type::String, split_part},
    {"starts_with", "ss", Type::Bool, starts_with},
    {"ends_with", "ss", Type::Bool, ends_with},
    {"contains", "ss", Type::Bool, contains},
    {"position", "ss", Type::Int, position},
    {"json_value", "ss", Type::String, json_value},
});

}  // namespace

std::span<const Function> text_functions() { return kText; }

}  // namespace infiniedge::stream
