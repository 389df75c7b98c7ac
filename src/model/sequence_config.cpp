// SPDX-License-Identifier: Apache-2.0
#include "model/sequence_config.hpp"

#include <fmt/format.h>

namespace infiniedge::model {
namespace {

bool may_carry_id(DataType type) {
  return type == DataType::Uint64 || type == DataType::Int64 || type == DataType::Uint32 ||
         type == DataType::Int32 || type == DataType::Bytes;
}

bool may_carry_flag(DataType type) {
  return type == DataType::Bool || type == DataType::Int32 || type == DataType::Fp32;
}

}  // namespace

Result<void> validate(const SequenceBatching& sequences) {
  bool seen[4] = {};
  for (const auto& control : sequences.controls) {
    auto& before = seen[static_cast<int>(control.kind)];
    if (before) {
      return Error{Code::Invalid, fmt::format("input '{}' has a control that another input has "
                                              "already; leave one",
                                              control.name)};
    }
    before = true;
    const bool id = control.kind == Control::CorrelationId;
    if (id ? may_carry_id(control.type) : may_carry_flag(control.type)) continue;
    return Error{
        Code::Invalid,
        fmt::format("control input '{}' cannot be {}; {}", control.name, to_string(control.type),
                    id ? "an id is UINT64, INT64, UINT32, INT32 or BYTES (TYPE_STRING)"
                       : "a flag is BOOL, INT32 or FP32")};
  }
  if (!(sequences.min_utilisation >= 0 && sequences.min_utilisation <= 1)) {
    return Error{Code::Invalid, "the minimum utilisation of slots is a share from 0 to 1"};
  }
  return {};
}

}  // namespace infiniedge::model
