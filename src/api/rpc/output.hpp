// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/buffer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge::api::rpc {

/// Bytes for one gathering write: frames of ours, and contents of others that are not copied.
class Output {
 public:
  /// With `flat` everything is copied together: TLS encrypts one buffer at a time.
  explicit Output(bool flat) : flat_(flat) {}

  void copy(std::string_view bytes);
  /// `owner` keeps `bytes` alive until clear(). Small ones are copied all the same.
  void refer(std::string_view bytes, const std::shared_ptr<const void>& owner);
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();
  /// Valid until the next change.
  std::vector<boost::asio::const_buffer> buffers() const;

 private:
  struct Part {
    std::size_t at = 0, size = 0;  ///< In text_, unless there is an owner.
    const char* data = nullptr;
    std::shared_ptr<const void> owner{};
  };

  const bool flat_;
  std::string text_;
  std::vector<Part> parts_;
  std::size_t size_ = 0;
};

}  // namespace infiniedge::api::rpc
