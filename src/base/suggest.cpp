// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>

namespace infiniedge::base {
namespace {

/// Insert, delete, replace, and swap of neighbours; each substring edited once.
std::size_t distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> d((a.size() + 1) * width);
  for (std::size_t i = 0; i <= a.size(); ++i) d[i * width] = i;
  for (std::size_t j = 0; j < width; ++j) d[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j < width; ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      auto best = std::min({d[(i - 1) * width + j] + 1, d[i * width + j - 1] + 1,
                            d[(i - 1) * width + j - 1] + cost});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) best = std::min(best, d[(i - 2) * width + j - 2] + 1);
      d[i * width + j] = best;
    }
  }
  return d.back();
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const auto n = std::min(a.size(), b.size());
  const auto at = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin());
  return static_cast<std::size_t>(at.first - a.begin());
}

std::optional<std::string> by_spelling(std::string_view folded,
                                       std::span<const Candidate> candidates) {
  for (const auto& candidate : candidates) {
    if (fold(candidate.name) == folded) return std::string{candidate.name};
  }
  for (const auto& candidate : candidates) {
    for (const auto alias : candidate.aliases) {
      if (fold(alias) == folded) return std::string{candidate.name};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string fold(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
  }
  return out;
}

std::optional<std::string> suggest(std::string_view wrong, std::span<const Candidate> candidates) {
  const auto folded = fold(wrong);
  if (folded.empty() || folded.size() > 256) return std::nullopt;
  if (auto same = by_spelling(folded, candidates)) return same;

  // Least edits first (doubled, so that half an edit is an integer), then the longest shared
  // beginning, then the alphabet.
  using Rank = std::tuple<long, long, std::string_view>;
  std::optional<Rank> best;
  for (const auto& candidate : candidates) {
    const auto name = fold(candidate.name);
    const auto limit = std::max<std::size_t>(1, std::max(name.size(), folded.size()) / 4);
    const auto edits = distance(folded, name);
    if (edits > limit) continue;
    const Rank rank{2 * static_cast<long>(edits) - (candidate.required_and_missing ? 1 : 0),
                    -static_cast<long>(common_prefix(folded, name)), candidate.name};
    if (!best || rank < *best) best = rank;
  }
  if (!best) return std::nullopt;
  return std::string{std::get<2>(*best)};
}

std::optional<std::string> suggest(std::string_view wrong,
                                   const std::vector<std::string>& candidates) {
  std::vector<Candidate> views;
  views.reserve(candidates.size());
  for (const auto& name : candidates) views.push_back({.name = name});
  return suggest(wrong, views);
}

}  // namespace infiniedge::base
