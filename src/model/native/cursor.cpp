// SPDX-License-Identifier: Apache-2.0
#include "model/native/cursor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/suggest.hpp"

namespace infiniedge::model::native {

namespace dom = simdjson::dom;

std::string Cursor::path() const {
  if (up_ == nullptr) return "$";
  return key_.empty() ? fmt::format("{}[{}]", up_->path(), index_)
                      : fmt::format("{}.{}", up_->path(), key_);
}

Error Cursor::error(std::string_view what) const {
  return {Code::Invalid, fmt::format("{}: {}", path(), what)};
}

Result<void> Cursor::object(std::span<const Member> known) const {
  dom::object object;
  if (element_.get(object) != simdjson::SUCCESS) return error("takes an object, {…}");
  std::vector<bool> seen(known.size());
  for (const auto& [key, value] : object) {
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const auto& m) { return m.key == key; });
    if (found == known.end()) {
      std::vector<std::string> names;
      for (const auto& member : known) names.emplace_back(member.key);
      const auto near = base::suggest(std::string{key.substr(0, 64)}, names);
      return error(fmt::format("unknown member '{}'{}", key.substr(0, 64),
                               near ? fmt::format("; did you mean '{}'?", *near) : ""));
    }
    const auto at = static_cast<std::size_t>(found - known.begin());
    if (seen[at]) return error(fmt::format("'{}' stands here twice", key));
    seen[at] = true;
    INFINIEDGE_TRY(found->read(Cursor{value, this, found->key, 0}));
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i].required && !seen[i]) return error(fmt::format("'{}' is missing", known[i].key));
  }
  return {};
}

std::size_t Cursor::size() const {
  dom::array array;
  if (element_.get(array) != simdjson::SUCCESS) return 0;
  return static_cast<std::size_t>(std::distance(array.begin(), array.end()));
}

Result<void> Cursor::list(std::size_t low, std::size_t high,
                          const std::function<Result<void>(const Cursor&)>& read) const {
  dom::array array;
  if (element_.get(array) != simdjson::SUCCESS) return error("takes a list, […]");
  const auto count = size();
  if (count < low || count > high) {
    return error(low == high ? fmt::format("takes {} items, not {}", low, count)
                             : fmt::format("takes {} to {} items, not {}", low, high, count));
  }
  std::size_t index = 0;
  for (const auto item : array) INFINIEDGE_TRY(read(Cursor{item, this, {}, index++}));
  return {};
}

Result<double> Cursor::number() const {
  double out = 0;
  if (element_.get(out) != simdjson::SUCCESS) return error("takes a number");
  return out;
}

Result<float> Cursor::single() const {
  const auto wide = number();
  if (!wide) return wide.error();
  const auto narrow = static_cast<float>(*wide);
  if (!std::isfinite(narrow)) return error(fmt::format("{} does not fit a 32-bit float", *wide));
  return narrow;
}

Result<std::int64_t> Cursor::integer(std::int64_t low, std::int64_t high) const {
  std::int64_t out = 0;
  if (element_.get(out) != simdjson::SUCCESS || out < low || out > high) {
    return error(fmt::format("takes an integer from {} to {}", low, high));
  }
  return out;
}

Result<std::string> Cursor::text() const {
  std::string_view out;
  if (element_.get(out) != simdjson::SUCCESS) return error("takes a text");
  return std::string{out};
}

Result<void> Cursor::floats(std::size_t count, std::vector<float>& out) const {
  return list(count, count, [&out](const Cursor& item) -> Result<void> {
    const auto value = item.single();
    if (!value) return value.error();
    out.push_back(*value);
    return {};
  });
}

}  // namespace infiniedge::model::native
