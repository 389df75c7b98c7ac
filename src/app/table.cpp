// SPDX-License-Identifier: Apache-2.0
#include "app/table.hpp"

#include <algorithm>

namespace infiniedge::app {
namespace {

/// Code points, so that units like °C line up.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& head : heads_) widths.push_back(head.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const auto cell = i < cells.size() && !cells[i].empty() ? cells[i] : std::string{"-"};
      out += cell;
      if (i + 1 < widths.size())
        out.append(widths[i] + 2 - std::min(widths[i] + 2, width_of(cell)), ' ');
    }
    out += "\n";
  };
  line(heads_);
  for (const auto& row : rows_) line(row);
  return out;
}

}  // namespace infiniedge::app
