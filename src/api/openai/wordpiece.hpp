// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::api::openai {

/// Cuts text into the tokens of an uncased BERT: words and punctuation of the normalised text,
/// each as its longest known pieces.
///
/// Source: Devlin and others, BERT (2019), appendix; Wu and others (2016), WordPiece.
/// Thread: immutable; any.
/// Owner:  shared by the requests that use it.
/// Errors: NotFound, Invalid (a vocabulary without [CLS], [SEP] or [UNK]).
class WordPiece {
 public:
  /// Reads a vocabulary: a token a line, its number the line's.
  static Result<std::shared_ptr<const WordPiece>> read(const std::filesystem::path& file);
  static Result<std::shared_ptr<const WordPiece>> from(std::string vocabulary);

  /// [CLS] tokens [SEP]. `text` is UTF-8; malformed bytes are dropped.
  std::vector<std::int64_t> encode(std::string_view text) const;
  std::size_t size() const { return numbers_.size(); }

  WordPiece(const WordPiece&) = delete;
  WordPiece& operator=(const WordPiece&) = delete;

 private:
  explicit WordPiece(std::string vocabulary);
  std::int64_t number(std::string_view token) const;  ///< −1: unknown.
  void encode_word(std::string_view word, std::vector<std::int64_t>& out) const;

  const std::string text_;  ///< The keys of `numbers_` point into it.
  std::unordered_map<std::string_view, std::int64_t> numbers_;
  std::int64_t begin_ = -1, end_ = -1, unknown_ = -1;
};

}  // namespace infiniedge::api::openai
