// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Keys of the CBOR maps. Sent: never renumber, only add.
namespace infiniedge::sync::key {

enum HelloKey : std::uint64_t {
  kHelloVersion = 0,
  kGateway = 1,
  kNodeName = 2,
  kHelloEpoch = 3,
  kFirstLane = 4,
  kLastLane = 5,
  kOrdered = 6,
  kStreams = 7
};
enum WelcomeKey : std::uint64_t {
  kWelcomeVersion = 0,
  kHub = 1,
  kPolicyVersion = 2,
  kCovers = 3,
  kCredit = 4
};
enum CoverKey : std::uint64_t { kCoverEpoch = 0, kRanges = 1 };
enum NackKey : std::uint64_t { kNackEpoch = 0, kExpected = 1 };
enum CreditKey : std::uint64_t { kCreditLane = 0, kCreditBytes = 1 };
enum ErrorKey : std::uint64_t { kErrorCode = 0, kErrorMessage = 1, kRetryAfter = 2 };

constexpr std::uint16_t kZstdFlag = 1;
/// Header of every message: type, lane, flags, stream.
constexpr std::size_t kHeaderBytes = 8;
/// Before the block of Data: epoch, from, to, rows, crc32c(block).
constexpr std::size_t kDataBytes = 28;

}  // namespace infiniedge::sync::key
