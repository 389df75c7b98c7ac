// SPDX-License-Identifier: Apache-2.0
#include "model/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bytes.hpp"

namespace infiniedge::model {
namespace {

constexpr double kSumsToOne = 1e-3;

bool is_floating(const Tensor& tensor) {
  return tensor.type == DataType::Fp32 || tensor.type == DataType::Fp64;
}

bool has_rows(const Tensor& tensor, std::size_t rows) {
  return rows > 0 && tensor.elements() > 0 &&
         static_cast<std::size_t>(tensor.elements()) % rows == 0 &&
         (tensor.shape.empty() || static_cast<std::size_t>(tensor.shape[0]) == rows || rows == 1);
}

const Tensor* pick(const std::vector<Tensor>& outputs, std::size_t rows) {
  for (const std::string_view name : {"probabilities", "logits"}) {
    for (const auto& output : outputs) {
      if (output.name == name && is_floating(output) && has_rows(output, rows)) return &output;
    }
  }
  for (const auto& output : outputs) {
    if (is_floating(output) && has_rows(output, rows)) return &output;
  }
  return nullptr;
}

std::vector<float> row_of(const Tensor& tensor, std::size_t row, std::size_t width) {
  std::vector<float> out(width);
  for (std::size_t i = 0; i < width; ++i) {
    const auto at = row * width + i;
    out[i] = tensor.type == DataType::Fp32
                 ? base::get<float>(tensor.data, at * 4)
                 : static_cast<float>(base::get<double>(tensor.data, at * 8));
  }
  return out;
}

bool are_probabilities(const std::vector<float>& row) {
  double sum = 0;
  for (const float p : row) {
    if (p < 0 || p > 1) return false;
    sum += p;
  }
  return std::abs(sum - 1) <= kSumsToOne;
}

void softmax(std::vector<float>& row) {
  const float top = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (auto& z : row) {
    z = std::exp(z - top);
    sum += z;
  }
  for (auto& z : row) z = static_cast<float>(z / sum);
}

std::string label_of(const std::vector<std::string>& labels, std::size_t index) {
  return index < labels.size() ? labels[index] : std::to_string(index);
}

Answer answer_of(std::vector<float> row, bool logits, const std::vector<std::string>& labels) {
  Answer out;
  out.valid = std::all_of(row.begin(), row.end(), [](float v) { return std::isfinite(v); });
  if (!out.valid) return out;
  if (row.size() == 1) {
    out.score = row[0];
    return out;
  }
  if (logits || !are_probabilities(row)) softmax(row);
  out.index = static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
  out.label = label_of(labels, out.index);
  out.score = row[out.index];
  out.probabilities = std::move(row);
  return out;
}

/// Only labels: as text, or as the index of a class.
Result<std::vector<Answer>> read_labels(const std::vector<Tensor>& outputs, std::size_t rows,
                                        const std::vector<std::string>& labels) {
  std::vector<Answer> out(rows);
  for (const auto& output : outputs) {
    if (static_cast<std::size_t>(output.elements()) != rows) continue;
    base::Reader reader(output.data);
    for (auto& answer : out) {
      answer.score = 1;
      std::int64_t index = 0;
      std::uint32_t length = 0;
      base::ByteView text;
      if (output.type == DataType::Int64 && reader.read(index)) {
        answer.index = static_cast<std::size_t>(index);
        answer.label = label_of(labels, answer.index);
      } else if (output.type == DataType::Bytes && reader.read(length) &&
                 reader.read_bytes(length, text)) {
        answer.label = base::as_text(text);
        answer.index = static_cast<std::size_t>(
            std::find(labels.begin(), labels.end(), answer.label) - labels.begin());
      } else {
        answer.valid = false;
      }
    }
    return out;
  }
  return Error{Code::Unsupported,
               fmt::format("no output of the model has {} rows of numbers or labels", rows)};
}

}  // namespace

Result<std::vector<Answer>> read_answers(const std::vector<Tensor>& outputs, std::size_t rows,
                                         const std::vector<std::string>& labels) {
  const Tensor* scores = pick(outputs, rows);
  if (scores == nullptr) return read_labels(outputs, rows, labels);
  const auto width = static_cast<std::size_t>(scores->elements()) / rows;
  if (scores->data.size() !=
      static_cast<std::size_t>(scores->elements()) * element_size(scores->type)) {
    return Error{Code::Corrupt,
                 fmt::format("output '{}' does not have the bytes of its shape", scores->name)};
  }
  std::vector<Answer> out;
  out.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    out.push_back(answer_of(row_of(*scores, i, width), scores->name == "logits", labels));
  }
  return out;
}

}  // namespace infiniedge::model
