// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace infiniedge {

/// What the caller should do about a failure, not where it came from.
enum class Code {
  Invalid,      ///< The input is wrong; repeating it will not help.
  NotFound,     ///< The thing named does not exist.
  Exists,       ///< The thing to create is there already.
  Denied,       ///< Not allowed for this principal or label.
  Unsupported,  ///< Well-formed, but this build or this device cannot do it.
  Unavailable,  ///< The other side is down; retry with back-off.
  Timeout,      ///< The deadline passed; the effect is unknown.
  Cancelled,    ///< The caller gave up, or the scope closed.
  Exhausted,    ///< A bound was reached (disk, queue, budget); retry later.
  Corrupt,      ///< Stored or received bytes contradict their checksum.
  Stale,        ///< Based on an older version; read again first.
  Internal,     ///< A defect of ours.
};

constexpr std::string_view to_string(Code code) {
  constexpr std::string_view kNames[] = {"Invalid",     "NotFound",    "Exists",  "Denied",
                                         "Unsupported", "Unavailable", "Timeout", "Cancelled",
                                         "Exhausted",   "Corrupt",     "Stale",   "Internal"};
  return kNames[static_cast<int>(code)];
}

/// A code, a sentence and a cause. The sentence says what was wrong, where, and what to do.
/// A value: cheap to move, safe to hand to another thread.
class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  Error(Code code, std::string message, Error cause)
      : code_(code),
        message_(std::move(message)),
        cause_(std::make_shared<const Error>(std::move(cause))) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const Error* cause() const { return cause_.get(); }

  /// "Unavailable: hub plant-hub does not answer: connection refused".
  std::string describe() const {
    std::string text{to_string(code_)};
    for (const Error* error = this; error != nullptr; error = error->cause()) {
      text.append(": ").append(error->message());
    }
    return text;
  }

 private:
  Code code_;
  std::string message_;
  std::shared_ptr<const Error> cause_;
};

/// A value or an Error, with the interface of std::expected.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result() = default;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}     // NOLINT
  Result(tl::expected<T, Error> other) : tl::expected<T, Error>(std::move(other)) {}  // NOLINT
};

/// Shortest way to fail: `return fail(Code::Invalid, "port {} is taken", port)` is fmt's job;
/// this takes the finished sentence.
inline Error fail(Code code, std::string message) { return {code, std::move(message)}; }

}  // namespace infiniedge

/// Returns the error of `expression` from the current function or coroutine, else goes on.
#define INFINIEDGE_TRY(expression)                     \
  do {                                                 \
    if (auto try_result = (expression); !try_result) { \
      return std::move(try_result).error();            \
    }                                                  \
  } while (false)

#define INFINIEDGE_CO_TRY(expression)                  \
  do {                                                 \
    if (auto try_result = (expression); !try_result) { \
      co_return std::move(try_result).error();         \
    }                                                  \
  } while (false)
