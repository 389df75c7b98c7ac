// SPDX-License-Identifier: Apache-2.0
#include "model/warmup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>

#include "model/batch.hpp"
#include "model/request.hpp"
#include "model/staging.hpp"

namespace infiniedge::model {
namespace {

constexpr std::size_t kMaxBytes = 256U << 20;

/// Room for `bytes`, aligned for every type, all zero.
void allocate(Tensor& tensor, std::size_t bytes, std::byte*& data) {
  auto block = std::make_shared<std::vector<std::uint64_t>>(bytes / 8 + 1);
  data = reinterpret_cast<std::byte*>(block->data());
  tensor.data = {data, bytes};
  tensor.owner = std::move(block);
}

/// A BYTES element of length 0 is four zero bytes.
std::size_t width_of(DataType type) { return type == DataType::Bytes ? 4 : element_size(type); }

Tensor zeros(const std::string& name, DataType type, std::vector<std::int64_t> shape) {
  Tensor out{.name = name, .type = type, .shape = std::move(shape), .data = {}, .owner = {}};
  std::byte* data = nullptr;
  allocate(out, static_cast<std::size_t>(out.elements()) * width_of(type), data);
  return out;
}

/// Floats from 0 to 1, integers 0 or 1 (an index is then in range), text of one digit.
void randomise(Tensor& tensor) {
  std::minstd_rand random(1);
  const auto count = static_cast<std::size_t>(tensor.elements());
  const auto width = tensor.type == DataType::Bytes ? 5 : element_size(tensor.type);
  std::byte* data = nullptr;
  allocate(tensor, count * width, data);
  for (std::size_t i = 0; i < count; ++i) {
    auto* at = data + i * width;
    const double unit = static_cast<double>(random() % 1024) / 1024;
    const auto store = [at](const auto& value) { std::memcpy(at, &value, sizeof value); };
    switch (tensor.type) {
      case DataType::Fp32:
        store(static_cast<float>(unit));
        break;
      case DataType::Fp64:
        store(unit);
        break;
      case DataType::Fp16:  // 1.x × 2⁻¹: exponent 14, ten bits of fraction.
        store(static_cast<std::uint16_t>(0x3800U | (random() & 0x3FFU)));
        break;
      case DataType::Bf16:
        store(static_cast<std::uint16_t>(0x3F00U | (random() & 0x7FU)));
        break;
      case DataType::Bytes:
        store(std::uint32_t{1});
        at[4] = static_cast<std::byte>('0' + random() % 10);
        break;
      default:
        *at = static_cast<std::byte>(random() % 2);
    }
  }
}

Result<void> fill_from(Tensor& tensor, const std::filesystem::path& folder,
                       const std::string& name) {
  if (folder.empty() || !is_staged_path(name)) {
    return Error{Code::Invalid,
                 fmt::format("warm-up file '{}' must lie in the model's warmup/ folder", name)};
  }
  const auto path = folder / "warmup" / name;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size < 0 || static_cast<std::size_t>(size) > kMaxBytes) {
    return Error{Code::NotFound, fmt::format("warm-up file {} cannot be read", path.string())};
  }
  std::byte* data = nullptr;
  allocate(tensor, static_cast<std::size_t>(size), data);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(data), size);
  if (file) return {};
  return Error{Code::NotFound, fmt::format("warm-up file {} cannot be read", path.string())};
}

std::optional<std::size_t> bytes_of(const Warmup::Input& input, std::int64_t batch) {
  auto shape = input.dims;
  shape.push_back(std::max<std::int64_t>(1, batch));
  const auto count = element_count(shape);
  if (!count || static_cast<std::uint64_t>(*count) > kMaxBytes / 8) return std::nullopt;
  return static_cast<std::size_t>(*count) * width_of(input.type);
}

Result<Tensor> make_input(const ModelConfig& config, const Warmup& warmup, const std::string& name,
                          const Warmup::Input& input, const std::filesystem::path& folder) {
  const auto bytes = bytes_of(input, warmup.batch_size);
  if (!bytes) {
    return Error{Code::Invalid,
                 fmt::format("warm-up '{}': input '{}' is too large", warmup.name, name)};
  }
  auto shape = input.dims;
  if (config.max_batch() > 0) {
    shape.insert(shape.begin(), std::max<std::int64_t>(1, warmup.batch_size));
  }
  auto out = zeros(name, input.type, std::move(shape));
  if (input.data == Warmup::Data::Random) randomise(out);
  if (input.data != Warmup::Data::File) return out;
  // Whether its size fits the shape is the check of the request to say.
  INFINIEDGE_TRY(fill_from(out, folder, input.file));
  return out;
}

}  // namespace

std::vector<Tensor> zero_inputs(const std::vector<IoConfig>& inputs, bool batched,
                                std::int64_t batch) {
  std::vector<Tensor> out;
  for (const auto& io : inputs) {
    auto shape = io.reshape.value_or(io.dims);
    for (auto& dim : shape) dim = dim < 0 ? 1 : dim;
    if (batched) shape.insert(shape.begin(), batch);
    out.push_back(zeros(io.name, io.type, std::move(shape)));
  }
  return out;
}

Result<std::vector<WarmupRun>> warmup_runs(const ModelConfig& config,
                                           const std::filesystem::path& folder) {
  std::vector<WarmupRun> out;
  for (const auto& warmup : config.warmups) {
    std::vector<Tensor> inputs;
    for (const auto& [name, input] : warmup.inputs) {
      auto tensor = make_input(config, warmup, name, input, folder);
      if (!tensor) return std::move(tensor).error();
      inputs.push_back(std::move(*tensor));
    }
    auto checked = check_request(config, std::move(inputs), {});
    if (!checked) {
      return Error{Code::Invalid, fmt::format("warm-up '{}' does not fit the model", warmup.name),
                   std::move(checked).error()};
    }
    out.push_back({.name = warmup.name,
                   .inputs = std::move(checked->inputs),
                   .count = std::max(1U, warmup.count)});
  }
  return out;
}

}  // namespace infiniedge::model
