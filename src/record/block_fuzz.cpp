// SPDX-License-Identifier: Apache-2.0
// Any bytes as a block: Corrupt, or a batch that is whole and survives another round.
#include "base/check.hpp"
#include "record/block.hpp"
#include "record/device_table.hpp"
#include "record/testing/random_batch.hpp"
#include "record/value.hpp"

using namespace infiniedge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SchemaPtr schema = record::testing::every_type();
  record::DeviceTable devices;
  for (const char* name : {"pump-0", "pump-1", "pump-2", "pump-3", "pump-4"}) devices.id_of(name);
  auto batch = record::decode_block(std::as_bytes(std::span(data, size)), schema, devices);
  if (!batch) {
    INFINIEDGE_CHECK(batch.error().code() == Code::Corrupt);
    return 0;
  }
  INFINIEDGE_CHECK(record::check(*batch).has_value());
  auto again = record::encode_block(*batch, devices, !batch->seq.empty());
  INFINIEDGE_CHECK(again.has_value());
  auto back = record::decode_block(base::as_bytes(*again), schema, devices);
  INFINIEDGE_CHECK(back.has_value() && record::same_rows(*batch, *back));
  return 0;
}
