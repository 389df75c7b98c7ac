// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "device/replay/lines.hpp"
#include "device/replay/reader.hpp"

namespace infiniedge::device::replay {
namespace {

constexpr std::size_t kMaxColumns = 65'536;
constexpr std::size_t kMaxCells = 64U << 20;  ///< Of a transposed matrix, held whole: 512 MiB.

/// The numbers of one line. A line of blanks has none.
Result<void> parse_line(const Lines& lines, std::string_view line, std::vector<double>& out) {
  constexpr std::string_view kBlank = " \t\v\f";
  out.clear();
  for (auto at = line.find_first_not_of(kBlank); at != std::string_view::npos;
       at = line.find_first_not_of(kBlank, at)) {
    const auto end = std::min(line.find_first_of(kBlank, at), line.size());
    auto word = line.substr(at, end - at);
    at = end;
    const auto whole = word;
    if (word.starts_with('+')) word.remove_prefix(1);
    double number = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || stop != word.data() + word.size()) {
      return lines.fault(fmt::format("\"{}\" is not a number", whole.substr(0, 60)));
    }
    out.push_back(number);
  }
  return {};
}

class MatrixReader final : public Reader {
 public:
  MatrixReader(Input input, std::string file, bool transposed)
      : input_(std::move(input)), lines_(*input_, std::move(file)), transposed_(transposed) {}

  Result<void> start() {
    auto width = read_line(first_);
    if (!width) return width.error();
    if (first_.empty()) return lines_.fault("the file is empty: numbers were expected");
    auto count = first_.size();
    if (transposed_) {
      INFINIEDGE_TRY(load_columns());
      count = table_.size();
    }
    if (count > kMaxColumns) return lines_.fault("more than 65536 columns");
    for (std::size_t i = 1; i <= count; ++i) columns_.push_back(std::to_string(i));
    return {};
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<std::optional<Record>> next() override {
    if (transposed_) return next_sample();
    if (!first_.empty()) return record(std::exchange(first_, {}));
    std::vector<double> numbers;
    INFINIEDGE_TRY(read_line(numbers));
    if (numbers.empty()) return std::optional<Record>{};
    if (numbers.size() != columns_.size()) {
      return lines_.fault(
          fmt::format("{} numbers where the first line has {}", numbers.size(), columns_.size()));
    }
    return record(numbers);
  }

 private:
  static Result<std::optional<Record>> record(const std::vector<double>& numbers) {
    Record out;
    out.fields.assign(numbers.begin(), numbers.end());
    return std::optional<Record>{std::move(out)};
  }

  /// The next line that is not blank; no numbers at the end of the file.
  Result<void> read_line(std::vector<double>& out) {
    out.clear();
    while (out.empty()) {
      const auto more = lines_.next(line_);
      if (!more) return more.error();
      if (!*more) return {};
      INFINIEDGE_TRY(parse_line(lines_, line_, out));
    }
    return {};
  }

  Result<void> load_columns() {
    const auto samples = first_.size();
    for (auto variable = std::exchange(first_, {}); !variable.empty();) {
      if (variable.size() != samples) {
        return lines_.fault(
            fmt::format("{} numbers where the first line has {}", variable.size(), samples));
      }
      if ((table_.size() + 1) * samples > kMaxCells) return lines_.fault("the matrix is too large");
      table_.push_back(std::move(variable));
      INFINIEDGE_TRY(read_line(variable));
    }
    return {};
  }

  Result<std::optional<Record>> next_sample() {
    if (sample_ == table_[0].size()) return std::optional<Record>{};
    std::vector<double> numbers;
    for (const auto& variable : table_) numbers.push_back(variable[sample_]);
    ++sample_;
    return record(numbers);
  }

  Input input_;
  Lines lines_;
  bool transposed_;
  std::vector<std::string> columns_;
  std::vector<double> first_;
  std::vector<std::vector<double>> table_;  ///< By variable; transposed only.
  std::size_t sample_ = 0;
  std::string line_;
};

}  // namespace

MadeReader read_matrix(Input input, std::string file, const ReadOptions& options) {
  auto reader =
      std::make_unique<MatrixReader>(std::move(input), std::move(file), options.transposed);
  INFINIEDGE_TRY(reader->start());
  return MadeReader{std::move(reader)};
}

}  // namespace infiniedge::device::replay
