// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/suggest.hpp"
#include "device/replay/lines.hpp"
#include "device/replay/reader.hpp"
#include "device/timestamp.hpp"

namespace infiniedge::device::replay {
namespace {

constexpr std::size_t kMaxColumns = 65'536;

class CsvReader final : public Reader {
 public:
  CsvReader(Input input, std::string file, const ReadOptions& options)
      : input_(std::move(input)),
        lines_(*input_, std::move(file)),
        delimiter_(options.delimiter),
        wanted_time_(options.time_column) {}

  Result<void> start() {
    const auto header = read_fields(columns_);
    if (!header) return header.error();
    if (!*header) return lines_.fault("the file is empty: a header line was expected");
    if (columns_[0].starts_with("\xEF\xBB\xBF")) columns_[0].erase(0, 3);
    return find_time();
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<std::optional<Record>> next() override {
    const auto more = read_fields(texts_);
    if (!more) return more.error();
    if (!*more) return std::optional<Record>{};
    if (texts_.size() != columns_.size()) {
      return lines_.fault(
          fmt::format("{} fields where the header has {}", texts_.size(), columns_.size()));
    }
    Record record;
    if (time_) {
      record.time = time_from(Value{texts_[*time_]});
      if (!record.time) {
        return lines_.fault(
            fmt::format("\"{}\" in column {} is not a time: RFC 3339, YYYY-mm-dd "
                        "HH:MM:SS, or a count since 1970 was expected",
                        texts_[*time_].substr(0, 60), columns_[*time_]));
      }
    }
    record.fields.reserve(texts_.size());
    for (auto& text : texts_) {
      record.fields.push_back(text.empty() ? Value{} : Value{std::move(text)});
    }
    return std::optional<Record>{std::move(record)};
  }

 private:
  Result<void> find_time() {
    static constexpr std::array<std::string_view, 5> kNames{"timestamp", "time", "ts", "datetime",
                                                            "date"};
    for (std::size_t i = 0; i < columns_.size() && !time_; ++i) {
      if (!wanted_time_.empty() && columns_[i] == wanted_time_) time_ = i;
      if (!wanted_time_.empty()) continue;
      for (const auto name : kNames) {
        if (base::fold(columns_[i]) == name) time_ = i;
      }
    }
    if (time_ || wanted_time_.empty()) return {};
    const auto meant = base::suggest(wanted_time_, columns_);
    return lines_.fault(fmt::format("no column is called \"{}\"{}", wanted_time_,
                                    meant ? fmt::format("; did you mean \"{}\"?", *meant) : ""));
  }

  /// One record, which quotes may stretch over lines; blank lines are passed over.
  Result<bool> read_fields(std::vector<std::string>& out) {
    out.clear();
    do {
      const auto more = lines_.next(line_);
      if (!more) return more.error();
      if (!*more) return false;
    } while (line_.empty());
    std::size_t at = 0;
    while (true) {
      out.emplace_back();
      if (auto field = read_field(at, out.back()); !field) return field.error();
      if (at == line_.size()) return true;
      if (line_[at] != delimiter_) return lines_.fault("text after a closing quote");
      ++at;
      if (out.size() == kMaxColumns) return lines_.fault("more than 65536 columns");
    }
  }

  Result<void> read_field(std::size_t& at, std::string& out) {
    if (at == line_.size() || line_[at] != '"') {
      const auto end = std::min(line_.find(delimiter_, at), line_.size());
      out = line_.substr(at, end - at);
      at = end;
      return {};
    }
    ++at;
    while (true) {
      if (at == line_.size()) {
        const auto more = lines_.next(line_);
        if (!more) return more.error();
        if (!*more) return lines_.fault("a quoted field is not closed before the end of the file");
        if (out.size() > Lines::kMaxLine) return lines_.fault("a field is longer than 64 MiB");
        out.push_back('\n');
        at = 0;
      } else if (line_[at] != '"') {
        out.push_back(line_[at++]);
      } else if (at + 1 < line_.size() && line_[at + 1] == '"') {
        out.push_back('"');
        at += 2;
      } else {
        ++at;
        return {};
      }
    }
  }

  Input input_;
  Lines lines_;
  char delimiter_;
  std::string wanted_time_;
  std::vector<std::string> columns_, texts_;
  std::optional<std::size_t> time_;
  std::string line_;
};

}  // namespace

MadeReader read_csv(Input input, std::string file, const ReadOptions& options) {
  auto reader = std::make_unique<CsvReader>(std::move(input), std::move(file), options);
  INFINIEDGE_TRY(reader->start());
  return MadeReader{std::move(reader)};
}

}  // namespace infiniedge::device::replay
