// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "api/inference/answer_write.hpp"
#include "base/bytes.hpp"

namespace infiniedge::api::inference {
namespace {

template <class T>
std::vector<std::string> best_of(const Tensor& tensor, std::size_t from, std::size_t count,
                                 std::size_t classes, const std::vector<std::string>& labels) {
  const auto value = [&](std::size_t i) {
    return base::get<T>(tensor.data, (from + i) * sizeof(T));
  };
  // Not a number is less than every number, so that the order is one.
  const auto key = [&](std::size_t i) {
    const T v = value(i);
    return std::pair(v == v, v == v ? v : T{});
  };
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  classes = std::min(classes, count);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(classes),
                    order.end(),
                    [&](auto a, auto b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
  std::vector<std::string> out;
  for (std::size_t i = 0; i < classes; ++i) {
    const auto index = order[i];
    auto text = std::is_floating_point_v<T>
                    ? fmt::format("{:f}:{}", static_cast<double>(value(index)), index)
                    : fmt::format("{}:{}", +value(index), index);
    if (index < labels.size()) text += ":" + labels[index];
    out.push_back(std::move(text));
  }
  return out;
}

using Best = std::vector<std::string> (*)(const Tensor&, std::size_t, std::size_t, std::size_t,
                                          const std::vector<std::string>&);

Best best_for(DataType type) {
  switch (type) {
    case DataType::Fp32:
      return best_of<float>;
    case DataType::Fp64:
      return best_of<double>;
    case DataType::Int8:
      return best_of<std::int8_t>;
    case DataType::Int16:
      return best_of<std::int16_t>;
    case DataType::Int32:
      return best_of<std::int32_t>;
    case DataType::Int64:
      return best_of<std::int64_t>;
    case DataType::Uint8:
      return best_of<std::uint8_t>;
    case DataType::Uint16:
      return best_of<std::uint16_t>;
    case DataType::Uint32:
      return best_of<std::uint32_t>;
    case DataType::Uint64:
      return best_of<std::uint64_t>;
    default:
      return nullptr;
  }
}

const std::vector<std::string>& labels_of(const model::ModelConfig& config,
                                          const std::string& output) {
  static const std::vector<std::string> kNone;
  for (const auto& io : config.outputs) {
    if (io.name == output) return io.labels;
  }
  return kNone;
}

}  // namespace

Result<std::vector<Tensor>> wished_outputs(const Call& call, const model::InferResponse& answer) {
  auto out = answer.outputs;
  const bool batched = answer.config->max_batch() > 0;
  for (std::size_t i = 0; i < call.outputs.size(); ++i) {
    const auto classes = call.outputs[i].classes;
    if (classes == 0) continue;
    auto best = classify(out[i], classes, batched, labels_of(*answer.config, out[i].name));
    if (!best) return std::move(best).error();
    out[i] = std::move(*best);
  }
  return out;
}

Result<Tensor> classify(const Tensor& output, std::int64_t classes, bool batched,
                        const std::vector<std::string>& labels) {
  const auto best = best_for(output.type);
  if (best == nullptr) {
    return Error{Code::Invalid, fmt::format("output '{}' is {}, of which no classes can be taken",
                                            output.name, to_string(output.type))};
  }
  const auto total = static_cast<std::size_t>(output.elements());
  const bool rows_first = batched && !output.shape.empty();
  const auto rows = rows_first ? static_cast<std::size_t>(output.shape[0]) : 1;
  const auto width = rows == 0 ? 0 : total / rows;
  auto packed = std::make_shared<std::string>();
  for (std::size_t row = 0; row < rows; ++row) {
    for (const auto& text :
         best(output, row * width, width, static_cast<std::size_t>(classes), labels)) {
      base::put(*packed, static_cast<std::uint32_t>(text.size()));
      packed->append(text);
    }
  }
  const auto kept = std::min(classes, static_cast<std::int64_t>(width));
  Tensor out{output.name, DataType::Bytes, {kept}, base::as_bytes(*packed), packed};
  if (rows_first) out.shape.insert(out.shape.begin(), static_cast<std::int64_t>(rows));
  return out;
}

}  // namespace infiniedge::api::inference
