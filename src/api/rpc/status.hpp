// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::api::rpc {

/// Status codes of gRPC, with their numbers on the wire.
enum class StatusCode {
  Ok = 0,
  Cancelled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16
};

/// The name as the specification spells it: "INVALID_ARGUMENT".
std::string_view to_string(StatusCode code);

/// How a call ended: what its trailers say.
struct Status {
  StatusCode code = StatusCode::Ok;
  std::string message{};
  std::optional<Millis> retry_after{};  ///< Trailer grpc-retry-pushback-ms.

  bool ok() const { return code == StatusCode::Ok; }
};

/// The status of an error, with its sentence and those of its causes. Denied is
/// PERMISSION_DENIED: who has no credential at all is turned away before.
Status status_of(const Error& error);

/// The sentence of an error and of its causes, joined by ": ".
std::string sentence_of(const Error& error);

/// grpc-message: bytes outside of printable ASCII, and '%', become %XX.
std::string percent_encoded(std::string_view text);

/// grpc-timeout: up to eight digits and one of n u m S M H. Nothing: malformed.
std::optional<Micros> parse_timeout(std::string_view text);

}  // namespace infiniedge::api::rpc
