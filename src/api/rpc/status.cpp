// SPDX-License-Identifier: Apache-2.0
#include "api/rpc/status.hpp"

#include <algorithm>
#include <charconv>

namespace infiniedge::api::rpc {
namespace {

/// Trailers share their frame with other headers: a longer sentence is cut.
constexpr std::size_t kMaxMessage = 4096;
/// Longer is as good as for ever, and would not fit a clock of nanoseconds.
constexpr Micros kMaxTimeout = std::chrono::hours{24 * 3650};

StatusCode code_of(Code code) {
  switch (code) {
    case Code::NotFound:
      return StatusCode::NotFound;
    case Code::Exists:
      return StatusCode::AlreadyExists;
    case Code::Denied:
      return StatusCode::PermissionDenied;
    case Code::Unsupported:
      return StatusCode::Unimplemented;
    case Code::Unavailable:
    case Code::Exhausted:
    case Code::Timeout:
      return StatusCode::Unavailable;
    case Code::Cancelled:
      return StatusCode::Cancelled;
    case Code::Corrupt:
    case Code::Internal:
      return StatusCode::Internal;
    case Code::Invalid:
    case Code::Stale:
      return StatusCode::InvalidArgument;
  }
  return StatusCode::Unknown;
}

}  // namespace

std::string_view to_string(StatusCode code) {
  constexpr std::string_view kNames[] = {"OK",
                                         "CANCELLED",
                                         "UNKNOWN",
                                         "INVALID_ARGUMENT",
                                         "DEADLINE_EXCEEDED",
                                         "NOT_FOUND",
                                         "ALREADY_EXISTS",
                                         "PERMISSION_DENIED",
                                         "RESOURCE_EXHAUSTED",
                                         "FAILED_PRECONDITION",
                                         "ABORTED",
                                         "OUT_OF_RANGE",
                                         "UNIMPLEMENTED",
                                         "INTERNAL",
                                         "UNAVAILABLE",
                                         "DATA_LOSS",
                                         "UNAUTHENTICATED"};
  return kNames[static_cast<int>(code)];
}

std::string sentence_of(const Error& error) {
  std::string sentence = error.message();
  for (const Error* cause = error.cause(); cause != nullptr; cause = cause->cause()) {
    sentence.append(": ").append(cause->message());
  }
  return sentence;
}

Status status_of(const Error& error) { return {code_of(error.code()), sentence_of(error)}; }

std::string percent_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text.substr(0, kMaxMessage)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7E && c != '%') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
  return out;
}

std::optional<Micros> parse_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  std::int64_t count = 0;
  const auto* end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || stop != end || count < 0) return std::nullopt;
  switch (*end) {
    case 'n':
      return Micros{(count + 999) / 1000};
    case 'u':
      return Micros{count};
    case 'm':
      return Millis{count};
    case 'S':
      return std::min<Micros>(Seconds{count}, kMaxTimeout);
    case 'M':
      return std::min<Micros>(std::chrono::minutes{count}, kMaxTimeout);
    case 'H':
      return std::min<Micros>(std::chrono::hours{count}, kMaxTimeout);
    default:
      return std::nullopt;
  }
}

}  // namespace infiniedge::api::rpc
