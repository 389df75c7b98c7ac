// SPDX-License-Identifier: Apache-2.0
#include "api/openai/wordpiece.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infiniedge::api::openai {
namespace {

using ::testing::ElementsAre;

constexpr int kUnknown = 1, kBegin = 2, kEnd = 3;

std::shared_ptr<const WordPiece> words() {
  return WordPiece::from(
             "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\ncafe\n!\n中\n文\nthe\r\n##s\n")
      .value();
}

TEST(WordPiece, AWordIsItsLongestPieces) {
  EXPECT_THAT(words()->encode("unaffable"), ElementsAre(kBegin, 4, 5, 6, kEnd));
  EXPECT_THAT(words()->encode("the thes"), ElementsAre(kBegin, 11, 11, 12, kEnd));
}

TEST(WordPiece, CaseAndAccentsDoNotMatter) {
  EXPECT_THAT(words()->encode("CAFÉ Cafe\xCC\x81"), ElementsAre(kBegin, 7, 7, kEnd));
}

TEST(WordPiece, PunctuationAndIdeographsStandAlone) {
  EXPECT_THAT(words()->encode("un!中文"), ElementsAre(kBegin, 4, 8, 9, 10, kEnd));
}

TEST(WordPiece, WhatIsNotKnownIsOneToken) {
  EXPECT_THAT(words()->encode("unknown"), ElementsAre(kBegin, kUnknown, kEnd));
  EXPECT_THAT(words()->encode(std::string(101, 's')), ElementsAre(kBegin, kUnknown, kEnd));
}

TEST(WordPiece, ControlsAndMalformedBytesAreDropped) {
  EXPECT_THAT(words()->encode(std::string("\0t\xFFhe\x01", 6)), ElementsAre(kBegin, 11, kEnd));
  EXPECT_THAT(words()->encode(""), ElementsAre(kBegin, kEnd));
}

TEST(WordPiece, AFileThatIsNoVocabularyIsRefused) {
  EXPECT_EQ(WordPiece::from("a\nb\n").error().code(), Code::Invalid);
  EXPECT_EQ(WordPiece::read("/nowhere/vocab.txt").error().code(), Code::NotFound);
}

}  // namespace
}  // namespace infiniedge::api::openai
