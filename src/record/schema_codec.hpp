// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "base/bytes.hpp"
#include "infiniedge/result.hpp"
#include "record/definition.hpp"
#include "record/label.hpp"

namespace infiniedge::record {

struct LabelDefinition {
  LabelId id = LabelId::Default;
  Label label;
  bool operator==(const LabelDefinition&) const = default;
};

/// What a Define record of the log or a Schema message carries.
using Definition = std::variant<StreamDefinition, DeviceDefinition, LabelDefinition>;

/// CBOR (docs/formats/log.md): a map with small integer keys, so that later versions can add some.
std::string encode_definition(const Definition& definition);
std::string encode_gap(const Gap& gap);

/// Decode outside bytes. Unknown keys are skipped. Errors: Corrupt, naming what is wrong.
Result<Definition> decode_definition(base::ByteView bytes);
Result<Gap> decode_gap(base::ByteView bytes);

}  // namespace infiniedge::record
