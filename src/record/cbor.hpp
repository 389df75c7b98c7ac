// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::record {

/// Appends CBOR (RFC 8949) items: the shortest heads, definite lengths.
class CborWriter {
 public:
  void map(std::uint64_t entries) { head(5, entries); }
  void array(std::uint64_t items) { head(4, items); }
  void u64(std::uint64_t value) { head(0, value); }
  void i64(std::int64_t value);
  void number(double value);
  void text(std::string_view value);
  void bytes(base::ByteView value);
  void boolean(bool value) { out_.push_back(value ? '\xf5' : '\xf4'); }

  std::string take() { return std::move(out_); }

 private:
  void head(unsigned major, std::uint64_t argument);
  std::string out_;
};

/// Reads CBOR of outside bytes item by item, as the caller expects them; allocates nothing that
/// is not there. Definite lengths only, and no tags: what CborWriter writes.
///
/// Errors: Corrupt, for every method, saying at which byte.
class CborReader {
 public:
  explicit CborReader(base::ByteView bytes) : bytes_(bytes) {}

  Result<std::uint64_t> map();    ///< Entries; at most half the bytes left.
  Result<std::uint64_t> array();  ///< Items; at most the bytes left.
  Result<std::uint64_t> u64();
  Result<std::uint64_t> u64(std::uint64_t max);  ///< Above `max` is an error.
  Result<std::int64_t> i64();
  Result<double> number();  ///< A double, single or integer.
  Result<std::string> text();
  Result<base::ByteView> bytes();
  Result<bool> boolean();
  /// Passes over one item with all that is in it.
  Result<void> skip();
  bool done() const { return position_ == bytes_.size(); }
  Error fault(std::string_view what) const;

 private:
  struct Head {
    unsigned major = 0, info = 0;
    std::uint64_t argument = 0;
  };
  Result<Head> head();
  Result<std::uint64_t> expect(unsigned major, std::string_view what);
  Result<base::ByteView> string(unsigned major, std::string_view what);
  std::size_t left() const { return bytes_.size() - position_; }

  base::ByteView bytes_;
  std::size_t position_ = 0;
};

}  // namespace infiniedge::record
