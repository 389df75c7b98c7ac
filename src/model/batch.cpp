// SPDX-License-Identifier: Apache-2.0
#include "model/batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"

namespace infiniedge::model {
namespace {

/// A buffer aligned for every element type.
struct Block {
  std::vector<std::uint64_t> words;
  std::byte* bytes() { return reinterpret_cast<std::byte*>(words.data()); }
};

Tensor join(std::span<const std::vector<Tensor>* const> requests, std::size_t input) {
  Tensor out = (*requests[0])[input];
  std::size_t bytes = 0;
  out.shape[0] = 0;
  for (const auto* request : requests) {
    bytes += (*request)[input].data.size();
    out.shape[0] += (*request)[input].shape[0];
  }
  auto block = std::make_shared<Block>();
  block->words.resize(bytes / 8 + 1);
  std::size_t at = 0;
  for (const auto* request : requests) {
    const auto& data = (*request)[input].data;
    if (!data.empty()) std::memcpy(block->bytes() + at, data.data(), data.size());
    at += data.size();
  }
  out.data = {block->bytes(), bytes};
  out.owner = std::move(block);
  return out;
}

Result<std::size_t> part_size(const Tensor& whole, std::size_t offset, std::int64_t rows) {
  const auto each = whole.shape[0] == 0 ? 0 : whole.elements() / whole.shape[0];
  if (whole.type == DataType::Bytes) return packed_size(whole.data.subspan(offset), rows * each);
  return static_cast<std::size_t>(rows * each) * element_size(whole.type);
}

}  // namespace

bool same_shapes(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const Tensor& x, const Tensor& y) {
           return x.shape.size() == y.shape.size() &&
                  std::equal(x.shape.begin() + 1, x.shape.end(), y.shape.begin() + 1);
         });
}

std::vector<Tensor> gather(std::span<const std::vector<Tensor>* const> requests) {
  if (requests.size() == 1) return *requests[0];
  std::vector<Tensor> out;
  out.reserve(requests[0]->size());
  for (std::size_t i = 0; i < requests[0]->size(); ++i) out.push_back(join(requests, i));
  return out;
}

Result<std::size_t> packed_size(std::span<const std::byte> data, std::int64_t count) {
  base::Reader reader(data);
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t length = 0;
    base::ByteView bytes;
    if (!reader.read(length) || !reader.read_bytes(length, bytes)) {
      return Error{Code::Invalid, fmt::format("BYTES element {} is cut short", i)};
    }
  }
  return reader.position();
}

Result<std::vector<std::vector<Tensor>>> scatter(std::vector<Tensor> outputs,
                                                 std::span<const std::int64_t> sizes) {
  std::vector<std::vector<Tensor>> parts(sizes.size());
  if (sizes.size() == 1) {
    parts[0] = std::move(outputs);
    return parts;
  }
  std::int64_t total = 0;
  for (const auto size : sizes) total += size;
  for (const auto& whole : outputs) {
    if (whole.shape.empty() || whole.shape[0] != total) {
      return Error{Code::Internal, fmt::format("output '{}' does not have the batch of {} as its "
                                               "first dimension; set max_batch_size to 0",
                                               whole.name, total)};
    }
    std::size_t offset = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      auto bytes = part_size(whole, offset, sizes[i]);
      if (!bytes) return std::move(bytes).error();
      Tensor part = whole;
      part.shape[0] = sizes[i];
      part.data = whole.data.subspan(offset, *bytes);
      parts[i].push_back(std::move(part));
      offset += *bytes;
    }
  }
  return parts;
}

}  // namespace infiniedge::model
