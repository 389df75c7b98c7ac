// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <istream>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::device::replay {

/// Lines of a text with their numbers; CRLF is LF.
class Lines {
 public:
  static constexpr std::size_t kMaxLine = 64U << 20;

  Lines(std::istream& input, std::string file) : input_(input), file_(std::move(file)) {}

  /// False at the end. Errors: Invalid for a line over 64 MiB.
  Result<bool> next(std::string& line) {
    line.clear();
    ++number_;
    auto* const buffer = input_.rdbuf();
    int c = 0;
    bool any = false;
    while ((c = buffer->sbumpc()) != std::char_traits<char>::eof()) {
      any = true;
      if (c == '\n') break;
      if (line.size() == kMaxLine) return fault("the line is longer than 64 MiB");
      line.push_back(static_cast<char>(c));
    }
    if (line.ends_with('\r')) line.pop_back();
    return any;
  }
  Error fault(std::string_view what) const {
    return {Code::Invalid, fmt::format("{}:{}: {}", file_, number_, what)};
  }
  std::size_t number() const { return number_; }

 private:
  std::istream& input_;
  std::string file_;
  std::size_t number_ = 0;
};

}  // namespace infiniedge::device::replay
