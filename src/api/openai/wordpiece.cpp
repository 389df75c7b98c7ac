// SPDX-License-Identifier: Apache-2.0
#include "api/openai/wordpiece.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <array>
#include <fstream>
#include <iterator>

namespace infiniedge::api::openai {
namespace {

constexpr std::size_t kLongestWord = 100;  ///< Characters; longer is [UNK], as BERT was trained.

using Character = utf8proc_int32_t;

bool is_between(Character c, Character first, Character last) { return c >= first && c <= last; }

/// Chinese and Japanese ideographs: each is a word of its own.
bool is_ideograph(Character c) {
  return is_between(c, 0x4E00, 0x9FFF) || is_between(c, 0x3400, 0x4DBF) ||
         is_between(c, 0xF900, 0xFAFF) || is_between(c, 0x20000, 0x2CEAF) ||
         is_between(c, 0x2F800, 0x2FA1F);
}

bool is_punctuation(Character c) {
  // BERT counts all symbols of ASCII, Unicode only some.
  if (is_between(c, 33, 47) || is_between(c, 58, 64) || is_between(c, 91, 96) ||
      is_between(c, 123, 126)) {
    return true;
  }
  const auto category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool is_space(Character c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
         utf8proc_category(c) == UTF8PROC_CATEGORY_ZS;
}

bool is_control(Character c) {
  const auto category = utf8proc_category(c);
  return c == 0 || c == 0xFFFD || category == UTF8PROC_CATEGORY_CC ||
         category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CO ||
         category == UTF8PROC_CATEGORY_CS;
}

/// Collects words of lower-case letters without accents.
class Words {
 public:
  explicit Words(std::vector<std::string>& out) : out_(out) {}

  void put(Character c) {
    if (is_space(c)) return finish();
    if (is_control(c)) return;
    std::array<Character, 16> parts;
    int boundary = 0;
    const auto n =
        utf8proc_decompose_char(c, parts.data(), parts.size(), UTF8PROC_DECOMPOSE, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && i < static_cast<utf8proc_ssize_t>(parts.size()); ++i) {
      if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN) letter(utf8proc_tolower(parts[i]));
    }
  }
  void finish() {
    if (!word_.empty()) out_.push_back(std::move(word_));
    word_.clear();
  }

 private:
  void letter(Character c) {
    const bool alone = is_punctuation(c) || is_ideograph(c);
    if (alone) finish();
    std::array<utf8proc_uint8_t, 4> bytes;
    const auto n = utf8proc_encode_char(c, bytes.data());
    word_.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(n));
    if (alone) finish();
  }

  std::vector<std::string>& out_;
  std::string word_;
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  Words words(out);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (std::size_t at = 0; at < text.size();) {
    Character c = 0;
    const auto n =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &c);
    if (n > 0) words.put(c);
    at += n > 0 ? static_cast<std::size_t>(n) : 1;
  }
  words.finish();
  return out;
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t characters(std::string_view word) {
  std::size_t n = 0;
  for (const char c : word) n += continues(c) ? 0 : 1;
  return n;
}

}  // namespace

Result<std::shared_ptr<const WordPiece>> WordPiece::read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{Code::NotFound, fmt::format("{} cannot be read", file.string())};
  auto out = from({std::istreambuf_iterator<char>(in), {}});
  if (!out) return Error{out.error().code(), file.string(), out.error()};
  return out;
}

Result<std::shared_ptr<const WordPiece>> WordPiece::from(std::string vocabulary) {
  std::shared_ptr<const WordPiece> out(new WordPiece(std::move(vocabulary)));
  if (out->begin_ < 0 || out->end_ < 0 || out->unknown_ < 0) {
    return Error{Code::Invalid,
                 "the vocabulary has no [CLS], [SEP] or [UNK]: it is not one of BERT's"};
  }
  return out;
}

WordPiece::WordPiece(std::string vocabulary) : text_(std::move(vocabulary)) {
  std::string_view left = text_;
  for (std::int64_t line = 0; !left.empty(); ++line) {
    auto token = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(left.size(), token.size() + 1));
    if (token.ends_with('\r')) token.remove_suffix(1);
    numbers_.try_emplace(token, line);
  }
  begin_ = number("[CLS]");
  end_ = number("[SEP]");
  unknown_ = number("[UNK]");
}

std::int64_t WordPiece::number(std::string_view token) const {
  const auto found = numbers_.find(token);
  return found == numbers_.end() ? -1 : found->second;
}

std::vector<std::int64_t> WordPiece::encode(std::string_view text) const {
  std::vector<std::int64_t> out{begin_};
  for (const auto& word : words_of(text)) encode_word(word, out);
  out.push_back(end_);
  return out;
}

void WordPiece::encode_word(std::string_view word, std::vector<std::int64_t>& out) const {
  const auto before = out.size();
  bool known = characters(word) <= kLongestWord;
  std::string piece;
  for (std::size_t at = 0; known && at < word.size();) {
    std::int64_t token = -1;
    auto end = word.size();
    for (; end > at; --end) {
      if (end < word.size() && continues(word[end])) continue;
      piece.assign(at == 0 ? "" : "##").append(word.substr(at, end - at));
      token = number(piece);
      if (token >= 0) break;
    }
    known = token >= 0;
    if (known) out.push_back(token);
    at = end;
  }
  if (known) return;
  out.resize(before);
  out.push_back(unknown_);
}

}  // namespace infiniedge::api::openai
