// SPDX-License-Identifier: Apache-2.0
#include "record/schema_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "record/cbor.hpp"

namespace infiniedge::record {
namespace {

// Keys of the maps. Stored and sent: never renumber, only add.
enum Key : std::uint64_t { kKind = 0, kId = 1 };
enum Kind : std::uint64_t { kStreamKind = 1, kDeviceKind = 2, kLabelKind = 3 };
enum StreamKey : std::uint64_t {
  kOrigin = 2,
  kName = 3,
  kVersion = 4,
  kSchemaLabel = 5,
  kFields = 6,
  kLane = 7,
  kKeep = 8,
  kLabel = 9,
  kUplinks = 10
};
enum FieldKey : std::uint64_t {
  kFieldId = 0,
  kFieldName = 1,
  kFieldType = 2,
  kUnit = 3,
  kMantissa = 4,
  kScale = 5,
  kMin = 6,
  kMax = 7
};
enum DeviceKey : std::uint64_t { kDeviceName = 2 };
enum LabelKey : std::uint64_t {
  kJurisdictions = 2,
  kClass = 3,
  kPurposes = 4,
  kRetention = 5,
  kSubjects = 6
};
enum GapKey : std::uint64_t {
  kGapStream = 0,
  kGapEpoch = 1,
  kFromSeq = 2,
  kToSeq = 3,
  kFromTs = 4,
  kToTs = 5,
  kRows = 6,
  kReason = 7,
  kReplacedBy = 8
};

constexpr std::size_t kMaxName = 255;

/// Assigns what a reader's method returned. Errors: the reader's.
template <class T, class R>
Result<void> set(T& to, Result<R> value) {
  if (!value) return std::move(value).error();
  to = static_cast<T>(std::move(*value));
  return {};
}

/// Calls entry(key) for each entry of the map that follows; it reads or skips the value.
template <class Entry>
Result<void> read_map(CborReader& reader, Entry entry) {
  auto entries = reader.map();
  if (!entries) return std::move(entries).error();
  for (std::uint64_t i = 0; i < *entries; ++i) {
    auto key = reader.u64();
    if (!key) return std::move(key).error();
    INFINIEDGE_TRY(entry(*key));
  }
  return {};
}

Result<void> read_name(CborReader& reader, std::string& to) {
  INFINIEDGE_TRY(set(to, reader.text()));
  if (to.size() > kMaxName) return reader.fault("a name longer than 255 bytes");
  return {};
}

void write_field(CborWriter& writer, const Field& field) {
  writer.map(3 + !field.unit.empty() + (field.resolution ? 2u : 0u) + field.min.has_value() +
             field.max.has_value());
  writer.u64(kFieldId);
  writer.u64(field.id);
  writer.u64(kFieldName);
  writer.text(field.name);
  writer.u64(kFieldType);
  writer.u64(static_cast<std::uint64_t>(field.type));
  if (!field.unit.empty()) {
    writer.u64(kUnit);
    writer.text(field.unit);
  }
  if (field.resolution) {
    writer.u64(kMantissa);
    writer.u64(field.resolution->mantissa);
    writer.u64(kScale);
    writer.u64(field.resolution->scale);
  }
  if (field.min) {
    writer.u64(kMin);
    writer.number(*field.min);
  }
  if (field.max) {
    writer.u64(kMax);
    writer.number(*field.max);
  }
}

Result<void> read_field(CborReader& reader, Field& field) {
  Resolution resolution;
  INFINIEDGE_TRY(read_map(reader, [&](std::uint64_t key) -> Result<void> {
    switch (key) {
      case kFieldId:
        return set(field.id, reader.u64(UINT16_MAX));
      case kFieldName:
        return read_name(reader, field.name);
      case kFieldType:
        return set(field.type, reader.u64(static_cast<std::uint64_t>(Type::Bytes)));
      case kUnit:
        return read_name(reader, field.unit);
      case kMantissa:
        field.resolution.emplace();
        return set(resolution.mantissa, reader.u64(5));
      case kScale:
        return set(resolution.scale, reader.u64(9));
      case kMin:
        return set(field.min, reader.number());
      case kMax:
        return set(field.max, reader.number());
      default:
        return reader.skip();
    }
  }));
  if (field.resolution) field.resolution = resolution;
  if (field.id < kFirstField || field.name.empty()) return reader.fault("a field without identity");
  const bool known =
      resolution.mantissa == 1 || resolution.mantissa == 2 || resolution.mantissa == 5;
  if ((field.type == Type::Decimal) != field.resolution.has_value() || !known) {
    return reader.fault("a resolution that does not fit its field");
  }
  return {};
}

Result<void> read_fields(CborReader& reader, std::vector<Field>& fields) {
  auto count = reader.array();
  if (!count) return std::move(count).error();
  // Ids 1 … 15 are the store's; more than 65,520 fields cannot have distinct ones.
  if (*count > UINT16_MAX - kFirstField) return reader.fault("too many fields");
  std::vector<std::uint16_t> ids;
  for (std::uint64_t i = 0; i < *count; ++i) {
    INFINIEDGE_TRY(read_field(reader, fields.emplace_back()));
    ids.push_back(fields.back().id);
  }
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) {
    return reader.fault("two fields of the same id");
  }
  return {};
}

Result<void> read_origin(CborReader& reader, GatewayId& origin) {
  auto raw = reader.bytes();
  if (!raw) return std::move(raw).error();
  if (raw->size() != origin.size()) return reader.fault("a gateway id is not 16 bytes long");
  std::copy(raw->begin(), raw->end(), origin.begin());
  return {};
}

Result<void> read_uplinks(CborReader& reader, std::vector<std::string>& uplinks) {
  auto count = reader.array();
  if (!count) return std::move(count).error();
  for (std::uint64_t i = 0; i < *count; ++i) {
    INFINIEDGE_TRY(read_name(reader, uplinks.emplace_back()));
  }
  return {};
}

void write(CborWriter& writer, const StreamDefinition& stream) {
  const bool remote = stream.origin != GatewayId{};
  writer.map(10u + remote);
  writer.u64(kKind);
  writer.u64(kStreamKind);
  writer.u64(kId);
  writer.u64(stream.id);
  if (remote) {
    writer.u64(kOrigin);
    writer.bytes(stream.origin);
  }
  writer.u64(kName);
  writer.text(stream.schema.stream);
  writer.u64(kVersion);
  writer.u64(stream.schema.version);
  writer.u64(kSchemaLabel);
  writer.u64(static_cast<std::uint64_t>(stream.schema.label));
  writer.u64(kFields);
  writer.array(stream.schema.fields.size());
  for (const Field& field : stream.schema.fields) write_field(writer, field);
  writer.u64(kLane);
  writer.u64(static_cast<std::uint64_t>(stream.policy.lane));
  writer.u64(kKeep);
  writer.i64(stream.policy.keep.count());
  writer.u64(kLabel);
  writer.u64(static_cast<std::uint64_t>(stream.policy.label));
  writer.u64(kUplinks);
  writer.array(stream.policy.uplinks.size());
  for (const std::string& uplink : stream.policy.uplinks) writer.text(uplink);
}

Result<void> read_entry(CborReader& reader, std::uint64_t key, StreamDefinition& stream) {
  switch (key) {
    case kId:
      return set(stream.id, reader.u64(UINT32_MAX));
    case kOrigin:
      return read_origin(reader, stream.origin);
    case kName:
      return read_name(reader, stream.schema.stream);
    case kVersion:
      return set(stream.schema.version, reader.u64(UINT16_MAX));
    case kSchemaLabel:
      return set(stream.schema.label, reader.u64(UINT16_MAX));
    case kFields:
      stream.schema.fields.clear();
      return read_fields(reader, stream.schema.fields);
    case kLane:
      return set(stream.policy.lane, reader.u64(static_cast<std::uint64_t>(Lane::Bulk)));
    case kKeep: {
      auto keep = reader.i64();
      if (!keep) return std::move(keep).error();
      if (*keep < 0) return reader.fault("a negative age");
      stream.policy.keep = Micros{*keep};
      return {};
    }
    case kLabel:
      return set(stream.policy.label, reader.u64(UINT16_MAX));
    case kUplinks:
      stream.policy.uplinks.clear();
      return read_uplinks(reader, stream.policy.uplinks);
    default:
      return reader.skip();
  }
}

void write(CborWriter& writer, const DeviceDefinition& device) {
  writer.map(3);
  writer.u64(kKind);
  writer.u64(kDeviceKind);
  writer.u64(kId);
  writer.u64(device.id);
  writer.u64(kDeviceName);
  writer.text(device.name);
}

Result<void> read_entry(CborReader& reader, std::uint64_t key, DeviceDefinition& device) {
  switch (key) {
    case kId:
      return set(device.id, reader.u64(UINT32_MAX));
    case kDeviceName:
      return read_name(reader, device.name);
    default:
      return reader.skip();
  }
}

void write(CborWriter& writer, const LabelDefinition& definition) {
  const Label& label = definition.label;
  writer.map(7);
  writer.u64(kKind);
  writer.u64(kLabelKind);
  writer.u64(kId);
  writer.u64(static_cast<std::uint64_t>(definition.id));
  writer.u64(kJurisdictions);
  writer.u64(label.jurisdictions);
  writer.u64(kClass);
  writer.u64(static_cast<std::uint64_t>(label.data_class));
  writer.u64(kPurposes);
  writer.u64(label.purposes);
  writer.u64(kRetention);
  writer.i64(label.retention.count());
  writer.u64(kSubjects);
  writer.u64(label.subjects);
}

Result<void> read_entry(CborReader& reader, std::uint64_t key, LabelDefinition& definition) {
  Label& label = definition.label;
  switch (key) {
    case kId:
      return set(definition.id, reader.u64(UINT16_MAX));
    case kJurisdictions:
      return set(label.jurisdictions, reader.u64());
    case kClass:
      return set(label.data_class, reader.u64(static_cast<std::uint64_t>(DataClass::Restricted)));
    case kPurposes:
      return set(label.purposes, reader.u64());
    case kRetention:
      return set(label.retention, reader.i64());
    case kSubjects:
      return set(label.subjects, reader.u64());
    default:
      return reader.skip();
  }
}

bool complete(const StreamDefinition& stream) {
  return stream.id != 0 && !stream.schema.stream.empty() && stream.schema.version != 0;
}
bool complete(const DeviceDefinition& device) { return !device.name.empty(); }
bool complete(const LabelDefinition& label) { return static_cast<std::uint16_t>(label.id) != 0; }

template <class T>
Result<Definition> read_rest(CborReader& reader, std::uint64_t entries) {
  T definition;
  for (std::uint64_t i = 1; i < entries; ++i) {
    auto key = reader.u64();
    if (!key) return std::move(key).error();
    INFINIEDGE_TRY(read_entry(reader, *key, definition));
  }
  if (!complete(definition)) return reader.fault("a definition without identity");
  if (!reader.done()) return reader.fault("bytes behind the definition");
  return Definition{std::move(definition)};
}

}  // namespace

std::string encode_definition(const Definition& definition) {
  CborWriter writer;
  std::visit([&writer](const auto& value) { write(writer, value); }, definition);
  return writer.take();
}

Result<Definition> decode_definition(base::ByteView bytes) {
  CborReader reader(bytes);
  auto entries = reader.map();
  if (!entries) return std::move(entries).error();
  auto key = reader.u64();
  if (!key || *key != kKind) return reader.fault("the kind of definition must come first");
  auto kind = reader.u64();
  if (!kind) return std::move(kind).error();
  switch (*kind) {
    case kStreamKind:
      return read_rest<StreamDefinition>(reader, *entries);
    case kDeviceKind:
      return read_rest<DeviceDefinition>(reader, *entries);
    case kLabelKind:
      return read_rest<LabelDefinition>(reader, *entries);
    default:
      return reader.fault("an unknown kind of definition");
  }
}

std::string encode_gap(const Gap& gap) {
  CborWriter writer;
  writer.map(8u + !gap.replaced_by.empty());
  const std::pair<GapKey, std::uint64_t> numbers[] = {
      {kGapStream, gap.stream}, {kGapEpoch, gap.epoch},
      {kFromSeq, gap.from_seq}, {kToSeq, gap.to_seq},
      {kRows, gap.rows},        {kReason, static_cast<std::uint64_t>(gap.reason)}};
  for (const auto& [key, value] : numbers) {
    writer.u64(key);
    writer.u64(value);
  }
  writer.u64(kFromTs);
  writer.i64(gap.from_ts);
  writer.u64(kToTs);
  writer.i64(gap.to_ts);
  if (!gap.replaced_by.empty()) {
    writer.u64(kReplacedBy);
    writer.text(gap.replaced_by);
  }
  return writer.take();
}

Result<Gap> decode_gap(base::ByteView bytes) {
  CborReader reader(bytes);
  Gap gap;
  INFINIEDGE_TRY(read_map(reader, [&](std::uint64_t key) -> Result<void> {
    switch (key) {
      case kGapStream:
        return set(gap.stream, reader.u64(UINT32_MAX));
      case kGapEpoch:
        return set(gap.epoch, reader.u64(UINT32_MAX));
      case kFromSeq:
        return set(gap.from_seq, reader.u64());
      case kToSeq:
        return set(gap.to_seq, reader.u64());
      case kFromTs:
        return set(gap.from_ts, reader.i64());
      case kToTs:
        return set(gap.to_ts, reader.i64());
      case kRows:
        return set(gap.rows, reader.u64());
      case kReason:
        return set(gap.reason, reader.u64(static_cast<std::uint64_t>(GapReason::Rollback)));
      case kReplacedBy:
        return read_name(reader, gap.replaced_by);
      default:
        return reader.skip();
    }
  }));
  if (gap.stream == 0 || gap.from_seq == 0 || gap.to_seq < gap.from_seq) {
    return reader.fault("a gap without a stream or with an empty range");
  }
  if (!reader.done()) return reader.fault("bytes behind the gap");
  return gap;
}

}  // namespace infiniedge::record
