// SPDX-License-Identifier: Apache-2.0
#include "app/node/row_json.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "base/utf8.hpp"
#include "stream/predicate.hpp"

namespace infiniedge::app {

std::string value_json(const Field& field, const Column& column, std::size_t row) {
  if (column.is_null(row)) return "null";
  switch (field.type) {
    case Type::Bool:
      return column.ints()[row] != 0 ? "true" : "false";
    case Type::Float: {
      const double value = column.floats()[row];
      return std::isfinite(value) ? fmt::format("{}", value) : "null";
    }
    case Type::String: {
      const auto text = column.binary()[row];
      if (base::find_invalid_text(text)) return "\"?\"";
      return boost::json::serialize(boost::json::string(text));
    }
    case Type::Bytes:
      return fmt::format("\"{} bytes\"", column.binary()[row].size());
    default:
      return stream::display(field, column, row);
  }
}

std::string row_json(const Batch& batch, std::size_t row) {
  auto out = fmt::format(R"({{"device":{},"ts":"{}","_q":{})",
                         boost::json::serialize(boost::json::string(batch.device_of(row))),
                         rfc3339(from_us(batch.ts[row])), static_cast<int>(batch.quality[row]));
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    const auto& field = batch.schema->fields[i];
    out += fmt::format(",\"{}\":{}", field.name, value_json(field, batch.columns[i], row));
  }
  return out + "}";
}

std::string rfc3339(Timestamp time) {
  const auto us = to_us(time);
  const auto seconds = us >= 0 ? us / 1'000'000 : (us - 999'999) / 1'000'000;
  const auto rest = us - seconds * 1'000'000;
  auto out = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
  if (rest != 0) out += fmt::format(".{:06}", rest);
  return out + "Z";
}

}  // namespace infiniedge::app
