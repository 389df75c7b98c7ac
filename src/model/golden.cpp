// SPDX-License-Identifier: Apache-2.0
#include "model/golden.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

namespace infiniedge::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRequest = ".request.json", kResponse = ".response.json";
constexpr std::uintmax_t kMaxCase = 64U << 20;
constexpr std::size_t kMaxCases = 1000;

Result<std::string> read_case(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file || size > kMaxCase) {
    return Error{Code::Invalid, fmt::format("{} is not there, or is larger than {} MiB",
                                            path.string(), kMaxCase >> 20)};
  }
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

Result<std::vector<std::string>> case_names(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    auto name = entry.path().filename().string();
    if (!name.ends_with(kRequest)) continue;
    name.resize(name.size() - kRequest.size());
    out.push_back(std::move(name));
  }
  if (out.size() > kMaxCases) {
    return Error{Code::Invalid, fmt::format("{} has more than {} cases; keep those that matter",
                                            folder.string(), kMaxCases)};
  }
  std::sort(out.begin(), out.end());
  return out;
}

template <class T>
std::optional<std::string> float_difference(const Tensor& expected, const Tensor& given,
                                            double tolerance) {
  for (std::size_t i = 0; i < expected.data.size() / sizeof(T); ++i) {
    T want{}, got{};
    std::memcpy(&want, expected.data.data() + i * sizeof(T), sizeof(T));
    std::memcpy(&got, given.data.data() + i * sizeof(T), sizeof(T));
    const double wanted = static_cast<double>(want), gotten = static_cast<double>(got);
    const bool same = want == got || (std::isnan(wanted) && std::isnan(gotten));
    const bool near = std::isfinite(wanted) &&
                      std::abs(wanted - gotten) <= tolerance * std::max(1.0, std::abs(wanted));
    if (same || near) continue;
    return fmt::format("element {} is {}, expected {} within {}", i, gotten, wanted, tolerance);
  }
  return std::nullopt;
}

std::optional<std::string> exact_difference(const Tensor& expected, const Tensor& given) {
  const auto [want, got] = std::mismatch(expected.data.begin(), expected.data.end(),
                                         given.data.begin(), given.data.end());
  if (want == expected.data.end() && got == given.data.end()) return std::nullopt;
  const auto width = std::max<std::size_t>(1, element_size(expected.type));
  return fmt::format("{} {} differs", expected.type == DataType::Bytes ? "byte" : "element",
                     static_cast<std::size_t>(want - expected.data.begin()) / width);
}

Result<void> check_case(const std::string& name, const ModelConfig& config, GoldenCase golden,
                        const GoldenRun& run) {
  const auto wrong = [&name](std::string_view what) {
    return Error{Code::Invalid, fmt::format("golden case '{}': {}", name, what)};
  };
  auto checked = check_request(config, std::move(golden.request.inputs), {});
  if (!checked) return Error{Code::Invalid, wrong("its request").message(), checked.error()};
  auto outputs = run(checked->inputs);
  if (outputs) to_client_shapes(config, *outputs);
  if (!outputs) return Error{outputs.error().code(), wrong("it failed").message(), outputs.error()};
  for (const auto& expected : golden.expected) {
    const auto found = std::find_if(outputs->begin(), outputs->end(),
                                    [&](const auto& out) { return out.name == expected.name; });
    if (found == outputs->end()) {
      return wrong(fmt::format("the model has no output '{}'", expected.name));
    }
    if (const auto what = difference(expected, *found, config.golden_tolerance)) {
      return wrong(fmt::format("output '{}': {}", expected.name, *what));
    }
  }
  return {};
}

}  // namespace

std::optional<std::string> difference(const Tensor& expected, const Tensor& given,
                                      double tolerance) {
  if (expected.type != given.type) {
    return fmt::format("it is {}, expected {}", to_string(given.type), to_string(expected.type));
  }
  if (expected.shape != given.shape) {
    return fmt::format("its shape is [{}], expected [{}]", fmt::join(given.shape, ","),
                       fmt::join(expected.shape, ","));
  }
  if (expected.type == DataType::Fp32) return float_difference<float>(expected, given, tolerance);
  if (expected.type == DataType::Fp64) return float_difference<double>(expected, given, tolerance);
  return exact_difference(expected, given);
}

Result<void> check_golden(const fs::path& folder, const ModelConfig& config,
                          const GoldenReader& reader, const GoldenRun& run) {
  const auto names = case_names(folder / "golden");
  if (!names) return names.error();
  if (!names->empty() && !reader) {
    return Error{Code::Internal, "golden cases cannot be read without a reader"};
  }
  for (const auto& name : *names) {
    auto request = read_case(folder / "golden" / (name + std::string{kRequest}));
    if (!request) return std::move(request).error();
    auto response = read_case(folder / "golden" / (name + std::string{kResponse}));
    if (!response) return std::move(response).error();
    auto golden = reader(config, std::move(*request), std::move(*response));
    if (!golden) {
      return Error{Code::Invalid, fmt::format("golden case '{}' cannot be read", name),
                   std::move(golden).error()};
    }
    INFINIEDGE_TRY(check_case(name, config, std::move(*golden), run));
  }
  return {};
}

}  // namespace infiniedge::model
