// SPDX-License-Identifier: Apache-2.0
#include "stream/wave.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "base/bytes.hpp"

namespace infiniedge::stream::wave {
namespace {

constexpr double kOnsetLevel = 0.2;
constexpr double kFloor = 1e-6;

std::vector<double> by_peak(std::span<const double> w) {
  std::vector<double> out(w.size(), 0);
  const double top = peak(w);
  if (top > 0) {
    for (std::size_t i = 0; i < w.size(); ++i) out[i] = w[i] / top;
  }
  return out;
}

/// Means over `n` equal parts of `values`; one that straddles a border counts by its share.
std::vector<double> segment_means(std::span<const double> values, std::size_t n) {
  std::vector<double> out(n, 0);
  if (values.empty()) return out;
  const auto length = static_cast<double>(values.size());
  for (std::size_t i = 0; i < n; ++i) {
    const double low = static_cast<double>(i) * length / static_cast<double>(n);
    const double high = static_cast<double>(i + 1) * length / static_cast<double>(n);
    const auto last = std::min(values.size(), static_cast<std::size_t>(std::ceil(high)));
    double sum = 0;
    for (auto k = static_cast<std::size_t>(low); k < last; ++k) {
      const auto at = static_cast<double>(k);
      const double share = std::min(at + 1, high) - std::max(at, low);
      sum += values[k] * std::max(0.0, share);
    }
    out[i] = sum / (high - low);
  }
  return out;
}

/// In-place radix-2 transform (Cooley, Tukey 1965). Requires: size is a power of two.
void fourier(std::vector<std::complex<double>>& a) {
  const auto n = a.size();
  for (std::size_t i = 1, j = 0; i < n; ++i) {
    auto bit = n >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(a[i], a[j]);
  }
  std::vector<std::complex<double>> roots(n / 2);
  for (std::size_t k = 0; k < n / 2; ++k) {
    roots[k] =
        std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n));
  }
  for (std::size_t half = 1; half < n; half <<= 1) {
    const auto stride = n / (2 * half);
    for (std::size_t from = 0; from < n; from += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const auto odd = a[from + half + k] * roots[k * stride];
        a[from + half + k] = a[from + k] - odd;
        a[from + k] += odd;
      }
    }
  }
}

}  // namespace

std::vector<double> samples(std::string_view bytes) {
  std::vector<double> out(bytes.size() / sizeof(float));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto value = base::get<float>(base::as_bytes(bytes), i * sizeof(float));
    out[i] = std::isfinite(value) ? static_cast<double>(value) : 0.0;
  }
  return out;
}

double rms(std::span<const double> w) {
  if (w.empty()) return 0;
  const double squares = std::inner_product(w.begin(), w.end(), w.begin(), 0.0);
  return std::sqrt(squares / static_cast<double>(w.size()));
}

double peak(std::span<const double> w) {
  double top = 0;
  for (const double x : w) top = std::max(top, std::abs(x));
  return top;
}

double mean(std::span<const double> w) {
  if (w.empty()) return 0;
  return std::accumulate(w.begin(), w.end(), 0.0) / static_cast<double>(w.size());
}

std::vector<double> onset(std::span<const double> w, std::size_t n, std::size_t lead) {
  std::vector<double> out(n, 0);
  const double top = peak(w);
  if (top == 0) return out;
  std::size_t first = 0;
  while (std::abs(w[first]) < kOnsetLevel * top) ++first;
  const auto start = first > lead ? first - lead : 0;
  for (std::size_t j = 0; j < n && start + j < w.size(); ++j) out[j] = w[start + j] / top;
  return out;
}

std::vector<double> envelope(std::span<const double> w, std::size_t n) {
  auto v = by_peak(w);
  for (auto& x : v) x *= x;
  auto out = segment_means(v, n);
  for (auto& x : out) x = std::sqrt(x);
  return out;
}

std::vector<double> spectrum(std::span<const double> w, std::size_t n) {
  const auto length = w.size();
  if (length == 0) return std::vector<double>(n, std::log10(kFloor));
  const auto v = by_peak(w);
  const double middle = mean(v);
  std::size_t size = 1;
  while (size < std::max(length, 2 * n)) size *= 2;
  std::vector<std::complex<double>> f(size);
  double energy = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const double phase = 2 * std::numbers::pi * (static_cast<double>(i) + 0.5);
    const double hann = 0.5 - 0.5 * std::cos(phase / static_cast<double>(length));
    f[i] = (v[i] - middle) * hann;
    energy += hann * hann;
  }
  fourier(f);
  std::vector<double> power(size / 2);
  for (std::size_t k = 0; k < power.size(); ++k) power[k] = std::norm(f[k + 1]) / energy;
  auto out = segment_means(power, n);
  for (auto& x : out) x = std::log10(x + kFloor);
  return out;
}

std::vector<double> quantiles(std::span<const double> w, std::size_t n) {
  std::vector<double> out(n, 0);
  if (w.empty()) return out;
  auto v = by_peak(w);
  std::sort(v.begin(), v.end());
  const auto steps = static_cast<double>(n > 1 ? n - 1 : 1);
  for (std::size_t j = 0; j < n; ++j) {
    const double at = static_cast<double>(j) * static_cast<double>(v.size() - 1) / steps;
    const auto low = static_cast<std::size_t>(at);
    const auto high = std::min(low + 1, v.size() - 1);
    out[j] = v[low] + (at - static_cast<double>(low)) * (v[high] - v[low]);
  }
  return out;
}

std::string pack(std::span<const double> values) {
  std::string out;
  out.reserve(values.size() * sizeof(float));
  for (const double value : values) base::put(out, static_cast<float>(value));
  return out;
}

}  // namespace infiniedge::stream::wave
