// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "base/bytes.hpp"
#include "base/suggest.hpp"
#include "device/replay/lines.hpp"
#include "device/replay/reader.hpp"

namespace infiniedge::device::replay {
namespace {

constexpr std::size_t kMaxDimensions = 4096;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes what stands before the next `separator`, and the separator.
std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

class TsReader final : public Reader {
 public:
  TsReader(Input input, std::string file)
      : input_(std::move(input)), lines_(*input_, std::move(file)) {}

  /// Directives, then the first case, which tells the number of dimensions.
  Result<void> start() {
    while (true) {
      const auto more = lines_.next(line_);
      if (!more) return more.error();
      if (!*more) return lines_.fault("the file ends before @data");
      const auto text = trim(line_);
      if (text.empty() || text.starts_with('#')) continue;
      if (!text.starts_with('@')) return lines_.fault("a directive was expected before @data");
      if (base::fold(text.substr(0, text.find(' '))) == "data") break;
      INFINIEDGE_TRY(directive(text));
    }
    auto first = next_line();
    if (!first) return first.error();
    dimensions_ = *first ? count_dimensions() : 1;
    if (dimensions_ == 0 || dimensions_ > kMaxDimensions) {
      return lines_.fault("a case needs 1 to 4096 dimensions");
    }
    pending_ = *first;
    for (std::size_t i = 0; i < dimensions_; ++i) {
      columns_.push_back(dimensions_ == 1 ? "series" : fmt::format("dim{}", i));
    }
    for (const auto* name : {"label", "index", "length"}) columns_.emplace_back(name);
    return {};
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<std::optional<Record>> next() override {
    if (!std::exchange(pending_, false)) {
      const auto more = next_line();
      if (!more) return more.error();
      if (!*more) return std::optional<Record>{};
    }
    return parse_case();
  }

 private:
  Result<void> directive(std::string_view text) {
    const auto name = base::fold(take(text, ' '));
    text = trim(text);
    const bool yes = base::fold(text.substr(0, text.find(' '))) == "true";
    if (name == "timestamps" && yes) {
      return lines_.fault(
          "series with own time stamps are not supported: @timeStamps must be "
          "false");
    }
    if (name == "targetlabel") labelled_ = labelled_ || yes;
    if (name != "classlabel") return {};
    labelled_ = yes;
    take(text, ' ');
    for (text = trim(text); !text.empty(); text = trim(text)) {
      classes_.emplace(take(text, ' '));
    }
    return {};
  }

  Result<bool> next_line() {
    while (true) {
      auto more = lines_.next(line_);
      if (!more || !*more) return more;
      const auto text = trim(line_);
      if (!text.empty() && !text.starts_with('#')) return true;
    }
  }

  std::size_t count_dimensions() const {
    const auto colons = static_cast<std::size_t>(std::ranges::count(line_, ':'));
    return labelled_ ? colons : colons + 1;
  }

  Result<std::optional<Record>> parse_case() {
    if (count_dimensions() != dimensions_) {
      return lines_.fault(fmt::format("{} dimensions where the first case has {}",
                                      count_dimensions(), dimensions_));
    }
    Record out;
    std::string_view rest = line_;
    std::size_t length = 0;
    for (std::size_t i = 0; i < dimensions_; ++i) {
      std::string samples;
      INFINIEDGE_TRY(parse_series(take(rest, ':'), samples));
      if (i == 0) length = samples.size() / sizeof(float);
      out.fields.emplace_back(std::move(samples));
    }
    const auto label = trim(rest);
    if (labelled_ && !classes_.empty() && classes_.find(label) == classes_.end()) {
      return lines_.fault(fmt::format("\"{}\" is not a class of @classLabel", label.substr(0, 60)));
    }
    out.fields.push_back(labelled_ ? Value{std::string{label}} : Value{});
    out.fields.emplace_back(index_++);
    out.fields.emplace_back(static_cast<std::int64_t>(length));
    return std::optional<Record>{std::move(out)};
  }

  Result<void> parse_series(std::string_view text, std::string& out) {
    while (!text.empty()) {
      const auto word = trim(take(text, ','));
      float sample = std::numeric_limits<float>::quiet_NaN();
      const auto* const end = word.data() + word.size();
      const auto [stop, error] = std::from_chars(word.data(), end, sample);
      // Beyond float's range is still a number: it is what a wider reader would round to.
      const bool number = stop == end && error != std::errc::invalid_argument && !word.empty();
      if (!number && word != "?") {
        return lines_.fault(fmt::format("\"{}\" is not a number", word.substr(0, 60)));
      }
      base::put(out, sample);
    }
    return {};
  }

  Input input_;
  Lines lines_;
  std::string line_;
  std::vector<std::string> columns_;
  std::set<std::string, std::less<>> classes_;
  bool labelled_ = false;
  bool pending_ = false;  ///< line_ holds a case that was not yet returned.
  std::size_t dimensions_ = 0;
  std::int64_t index_ = 0;
};

}  // namespace

MadeReader read_ts(Input input, std::string file, const ReadOptions&) {
  auto reader = std::make_unique<TsReader>(std::move(input), std::move(file));
  INFINIEDGE_TRY(reader->start());
  return MadeReader{std::move(reader)};
}

}  // namespace infiniedge::device::replay
