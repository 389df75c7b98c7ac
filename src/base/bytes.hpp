// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace infiniedge::base {

static_assert(std::endian::native == std::endian::little,
              "stored and sent integers are little-endian and copied as they are");

using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends a trivially copyable value, little-endian.
template <class T>
  requires std::is_trivially_copyable_v<T>
void put(std::string& out, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.append(raw, sizeof(T));
}

/// Reads a trivially copyable value at `offset`. Requires: offset + sizeof(T) ≤ bytes.size().
template <class T>
  requires std::is_trivially_copyable_v<T>
T get(ByteView bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// Reads outside bytes front to back; every read says whether there was enough left.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  template <class T>
  [[nodiscard]] bool read(T& value) {
    if (left() < sizeof(T)) return false;
    value = get<T>(bytes_, position_);
    position_ += sizeof(T);
    return true;
  }
  [[nodiscard]] bool read_bytes(std::size_t n, ByteView& out) {
    if (left() < n) return false;
    out = bytes_.subspan(position_, n);
    position_ += n;
    return true;
  }
  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }

 private:
  ByteView bytes_;
  std::size_t position_ = 0;
};

}  // namespace infiniedge::base
