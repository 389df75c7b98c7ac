// SPDX-License-Identifier: Apache-2.0
#include "store/mem_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <optional>

#include "base/utf8.hpp"
#include "record/decimal.hpp"
#include "store/duckdb_session.hpp"

namespace infiniedge::store {
namespace {

constexpr std::size_t kFixed = std::size(kFixedColumns);
constexpr std::size_t kStep = 2048;  ///< DuckDB's vector size, asked for again at run time.

/// Where a row is: chunk index and row in it. kChunkRows fits the 13 bits.
using Position = std::uint32_t;
constexpr unsigned kRowBits = 13;
static_assert((std::size_t{1} << kRowBits) == kChunkRows);

struct BindData {
  const duck::Api* api;
  std::shared_ptr<const MemSource> source;
  std::int64_t from, to;
};

struct ScanState {
  std::vector<duck::idx_t> columns;
  std::vector<Position> order;  ///< Of a sorted scan.
  std::size_t next = 0;         ///< Into `order`; else the chunk.
  std::uint32_t row = 0;        ///< In the chunk.
};

/// The rows of one output vector.
struct Picked {
  std::size_t count = 0;
  std::array<const Chunk*, kStep> chunk;
  std::array<std::uint32_t, kStep> row;
  std::array<const Run*, kStep> run;

  void add(const Chunk& c, std::uint32_t r, const Run& owner) {
    chunk[count] = &c;
    row[count] = r;
    run[count] = &owner;
    ++count;
  }
};

bool wanted(const BindData& data, const Chunk& chunk, std::uint32_t row) {
  const std::int64_t ts = chunk.rows.ts[row];
  return ts >= data.from && ts <= data.to;
}

const Run& run_of(const Chunk& chunk, std::uint32_t row) {
  const auto after =
      std::upper_bound(chunk.runs.begin(), chunk.runs.end(), row,
                       [](std::uint32_t value, const Run& run) { return value < run.begin; });
  return *(after - 1);
}

/// Numbers of (stream tag, device) in text order, and each chunk's devices mapped to them.
class SortKeys {
 public:
  SortKeys(const MemSource& source) {
    std::map<std::pair<std::string_view, std::string_view>, std::uint32_t> groups;
    for (const ChunkPtr& chunk : source.chunks) collect(source, *chunk, groups);
    for (auto& [key, number] : groups) number = count_++;
    for (const ChunkPtr& chunk : source.chunks) {
      auto& of_chunk = group_.emplace_back();
      for (const auto& [stream, tag] : source.tags) {
        for (std::uint32_t d = 0; d < chunk->rows.devices.size(); ++d) {
          const auto found = groups.find({tag, chunk->rows.devices[d]});
          if (found != groups.end()) of_chunk[{stream, d}] = found->second;
        }
      }
    }
  }
  std::uint32_t count() const { return count_; }
  /// Calls fn(position, group) for each row that a tag names, in append order.
  template <class Fn>
  void each(const BindData& data, Fn fn) const {
    for (std::size_t c = 0; c < data.source->chunks.size(); ++c) {
      const Chunk& chunk = *data.source->chunks[c];
      std::vector<std::uint32_t> by_device(chunk.rows.devices.size());
      for (const Run& run : chunk.runs) {
        if (!data.source->tags.contains(run.stream)) continue;
        for (std::uint32_t d = 0; d < by_device.size(); ++d) {
          const auto found = group_[c].find({run.stream, d});
          by_device[d] = found != group_[c].end() ? found->second : 0;
        }
        for (std::uint32_t row = run.begin; row < run.begin + run.count; ++row) {
          if (!wanted(data, chunk, row)) continue;
          fn(static_cast<Position>(c << kRowBits | row), by_device[chunk.rows.device[row]]);
        }
      }
    }
  }

 private:
  using Groups = std::map<std::pair<std::string_view, std::string_view>, std::uint32_t>;
  static void collect(const MemSource& source, const Chunk& chunk, Groups& groups) {
    for (const Run& run : chunk.runs) {
      const auto tag = source.tags.find(run.stream);
      if (tag == source.tags.end()) continue;
      std::vector<bool> seen(chunk.rows.devices.size());
      for (std::uint32_t row = run.begin; row < run.begin + run.count; ++row) {
        const std::uint32_t device = chunk.rows.device[row];
        if (seen[device]) continue;
        seen[device] = true;
        // The keys are views of strings that outlive the map: no copies may come between.
        groups.emplace(Groups::key_type(tag->second, chunk.rows.devices[device]), 0);
      }
    }
  }

  std::uint32_t count_ = 0;
  std::vector<std::map<std::pair<StreamId, std::uint32_t>, std::uint32_t>> group_;
};

/// Counting sort by (stream, device), then each group by (ts, seq), which mostly holds already.
std::vector<Position> sorted_order(const BindData& data) {
  const SortKeys keys(*data.source);
  std::vector<std::uint32_t> start(keys.count() + 1, 0);
  keys.each(data, [&](Position, std::uint32_t group) { ++start[group + 1]; });
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<Position> order(start.back());
  std::vector<std::uint32_t> next(start.begin(), start.end());
  keys.each(data, [&](Position at, std::uint32_t group) { order[next[group]++] = at; });

  const auto& chunks = data.source->chunks;
  const auto before = [&](Position a, Position b) {
    const Batch& left = chunks[a >> kRowBits]->rows;
    const Batch& right = chunks[b >> kRowBits]->rows;
    const std::size_t i = a & (kChunkRows - 1), j = b & (kChunkRows - 1);
    return left.ts[i] != right.ts[j] ? left.ts[i] < right.ts[j] : left.seq[i] < right.seq[j];
  };
  for (std::size_t g = 0; g + 1 < start.size(); ++g) {
    const auto begin = order.begin() + start[g], end = order.begin() + start[g + 1];
    if (!std::is_sorted(begin, end, before)) std::sort(begin, end, before);
  }
  return order;
}

void pick_sorted(const BindData& data, ScanState& state, Picked& out, std::size_t limit) {
  while (out.count < limit && state.next < state.order.size()) {
    const Position at = state.order[state.next++];
    const Chunk& chunk = *data.source->chunks[at >> kRowBits];
    const std::uint32_t row = at & (kChunkRows - 1);
    out.add(chunk, row, run_of(chunk, row));
  }
}

void pick_appended(const BindData& data, ScanState& state, Picked& out, std::size_t limit) {
  const MemSource& source = *data.source;
  while (out.count < limit && state.next < source.chunks.size()) {
    const Chunk& chunk = *source.chunks[state.next];
    const bool outside = chunk.max_ts < data.from || chunk.min_ts > data.to;
    if (outside || state.row >= chunk.rows.rows()) {
      ++state.next;
      state.row = 0;
      continue;
    }
    const Run& run = run_of(chunk, state.row);
    const std::uint32_t end = run.begin + run.count;
    if (!source.tags.contains(run.stream)) {
      state.row = end;
      continue;
    }
    for (; state.row < end && out.count < limit; ++state.row) {
      if (wanted(data, chunk, state.row)) out.add(chunk, state.row, run);
    }
  }
}

/// Writes one column of the picked rows into a vector.
class Filler {
 public:
  Filler(const duck::Api& api, const Picked& rows, duck::Vector vector)
      : api_(api), rows_(rows), vector_(vector), data_(api.vector_get_data(vector)) {}

  void fixed(std::size_t column, const MemSource& source) {
    switch (column) {
      case 0:
        return text([](const Chunk& c, std::uint32_t r, const Run&) {
          return std::optional(c.rows.device_of(r));
        });
      case 1:
        return plain<std::int64_t>([](const Chunk& c, auto r, const Run&) { return c.rows.ts[r]; });
      case 2:
        return plain<std::int64_t>([](const Chunk& c, auto r, const Run&) {
          return static_cast<std::int64_t>(c.rows.seq[r]);
        });
      case 3:
        return plain<std::uint8_t>([](const Chunk& c, auto r, const Run&) {
          return static_cast<std::uint8_t>(c.rows.quality[r]);
        });
      case 4:
        return text([&source](const Chunk&, std::uint32_t, const Run& run) {
          return std::optional<std::string_view>(source.tags.find(run.stream)->second);
        });
      default:
        return plain<std::uint32_t>([](const Chunk&, auto, const Run& run) { return run.epoch; });
    }
  }

  void field(std::size_t index, const Field& field) {
    nulls(index);
    switch (field.type) {
      case Type::Bool:
        return values<std::uint8_t, std::int64_t>(index, [](auto v) { return v != 0 ? 1 : 0; });
      case Type::Int:
        return values<std::int64_t, std::int64_t>(index, [](auto v) { return v; });
      case Type::Float:
        return values<double, double>(index, [](auto v) { return v; });
      case Type::Decimal:
        return decimals(index, record::decimal_width(field) <= 9);
      case Type::String:
      case Type::Bytes:
        return binary(index, field.type == Type::String);
    }
  }

 private:
  template <class T, class Get>
  void plain(Get get) {
    T* out = static_cast<T*>(data_);
    for (std::size_t i = 0; i < rows_.count; ++i) {
      out[i] = get(*rows_.chunk[i], rows_.row[i], *rows_.run[i]);
    }
  }

  template <class Get>
  void text(Get get) {
    for (std::size_t i = 0; i < rows_.count; ++i) {
      const auto value = get(*rows_.chunk[i], rows_.row[i], *rows_.run[i]);
      api_.vector_assign_string_element_len(vector_, i, value->data(), value->size());
    }
  }

  template <class Out, class In, class Convert>
  void values(std::size_t column, Convert convert) {
    Out* out = static_cast<Out*>(data_);
    const Chunk* last = nullptr;
    const In* in = nullptr;
    for (std::size_t i = 0; i < rows_.count; ++i) {
      if (rows_.chunk[i] != last) {
        last = rows_.chunk[i];
        in = std::get<std::vector<In>>(last->rows.columns[column].values).data();
      }
      out[i] = static_cast<Out>(convert(in[rows_.row[i]]));
    }
  }

  // A number that its width cannot hold would break DuckDB's own promises: it becomes null.
  void decimals(std::size_t column, bool narrow) {
    const std::int64_t limit = record::power_of_ten(narrow ? 9 : 18);
    const auto fits = [&](std::int64_t v) { return v > -limit && v < limit; };
    for (std::size_t i = 0; i < rows_.count; ++i) {
      if (!fits(rows_.chunk[i]->rows.columns[column].ints()[rows_.row[i]])) set_null(i);
    }
    if (narrow) {
      values<std::int32_t, std::int64_t>(column, [&](auto v) { return fits(v) ? v : 0; });
    } else {
      values<std::int64_t, std::int64_t>(column, [&](auto v) { return fits(v) ? v : 0; });
    }
  }

  void binary(std::size_t column, bool utf8) {
    for (std::size_t i = 0; i < rows_.count; ++i) {
      const Column& values = rows_.chunk[i]->rows.columns[column];
      if (values.is_null(rows_.row[i])) continue;
      const std::string_view value = values.binary()[rows_.row[i]];
      if (utf8 && !well_formed(value)) {
        const std::string fixed = repaired(value);
        api_.vector_assign_string_element_len(vector_, i, fixed.data(), fixed.size());
      } else {
        api_.vector_assign_string_element_len(vector_, i, value.data(), value.size());
      }
    }
  }

  static bool well_formed(std::string_view text) {
    while (!text.empty()) {
      const std::size_t n =
          static_cast<unsigned char>(text[0]) < 0x80 ? 1 : base::utf8_length(text);
      if (n == 0) return false;
      text.remove_prefix(n);
    }
    return true;
  }
  static std::string repaired(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const std::size_t n =
          static_cast<unsigned char>(text[0]) < 0x80 ? 1 : base::utf8_length(text);
      out += n == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, n);
      text.remove_prefix(std::max<std::size_t>(n, 1));
    }
    return out;
  }

  void nulls(std::size_t column) {
    for (std::size_t i = 0; i < rows_.count; ++i) {
      if (rows_.chunk[i]->rows.columns[column].is_null(rows_.row[i])) set_null(i);
    }
  }
  void set_null(std::size_t i) {
    if (validity_ == nullptr) {
      api_.vector_ensure_validity_writable(vector_);
      validity_ = api_.vector_get_validity(vector_);
    }
    api_.validity_set_row_invalid(validity_, i);
  }

  const duck::Api& api_;
  const Picked& rows_;
  duck::Vector vector_;
  void* data_;
  std::uint64_t* validity_ = nullptr;
};

struct ExtraInfo {
  const duck::Api* api;
  MemSources* sources;
};

void add_column(const duck::Api& api, duck::BindInfo info, const std::string& name,
                duck::LogicalType type) {
  api.bind_add_result_column(info, name.c_str(), type);
  api.destroy_logical_type(&type);
}

duck::LogicalType type_of(const duck::Api& api, const Field& field) {
  switch (field.type) {
    case Type::Bool:
      return api.create_logical_type(static_cast<int>(duck::TypeId::Boolean));
    case Type::Int:
      return api.create_logical_type(static_cast<int>(duck::TypeId::BigInt));
    case Type::Float:
      return api.create_logical_type(static_cast<int>(duck::TypeId::Double));
    case Type::Decimal:
      return api.create_decimal_type(static_cast<std::uint8_t>(record::decimal_width(field)),
                                     field.resolution ? field.resolution->scale : 0);
    case Type::String:
      return api.create_logical_type(static_cast<int>(duck::TypeId::Varchar));
    case Type::Bytes:
      break;
  }
  return api.create_logical_type(static_cast<int>(duck::TypeId::Blob));
}

std::int64_t parameter(const duck::Api& api, duck::BindInfo info, duck::idx_t index) {
  duck::Value value = api.bind_get_parameter(info, index);
  const std::int64_t number = api.get_int64(value);
  api.destroy_value(&value);
  return number;
}

void bind(duck::BindInfo info, const ExtraInfo& extra) {
  const duck::Api& api = *extra.api;
  auto source = extra.sources->find(parameter(api, info, 0));
  if (!source) return api.bind_set_error(info, "no such source of rows");
  constexpr duck::TypeId kTypes[] = {duck::TypeId::Varchar, duck::TypeId::Timestamp,
                                     duck::TypeId::BigInt,  duck::TypeId::UTinyInt,
                                     duck::TypeId::Varchar, duck::TypeId::UInteger};
  static_assert(std::size(kTypes) == kFixed);
  for (std::size_t i = 0; i < kFixed; ++i) {
    add_column(api, info, std::string(kFixedColumns[i]),
               api.create_logical_type(static_cast<int>(kTypes[i])));
  }
  for (const Field& field : source->table.schema->fields) {
    add_column(api, info, field.name, type_of(api, field));
  }
  std::size_t rows = 0;
  for (const ChunkPtr& chunk : source->chunks) rows += chunk->rows.rows();
  api.bind_set_cardinality(info, rows, false);
  auto* data =
      new BindData{&api, std::move(source), parameter(api, info, 1), parameter(api, info, 2)};
  api.bind_set_bind_data(info, data, [](void* p) { delete static_cast<BindData*>(p); });
}

void init(duck::InitInfo info, const BindData& data, const duck::Api& api) {
  auto state = std::make_unique<ScanState>();
  const auto columns = api.init_get_column_count(info);
  for (duck::idx_t i = 0; i < columns; ++i) {
    state->columns.push_back(api.init_get_column_index(info, i));
  }
  if (data.source->sorted) state->order = sorted_order(data);
  api.init_set_max_threads(info, 1);  // Two threads would mix the order.
  api.init_set_init_data(info, state.release(), [](void* p) { delete static_cast<ScanState*>(p); });
}

void scan(const BindData& data, ScanState& state, duck::Chunk output) {
  const duck::Api& api = *data.api;
  const std::size_t limit = std::min<std::size_t>(kStep, api.vector_size());
  Picked rows;
  if (data.source->sorted) {
    pick_sorted(data, state, rows, limit);
  } else {
    pick_appended(data, state, rows, limit);
  }
  const auto& fields = data.source->table.schema->fields;
  for (std::size_t i = 0; i < state.columns.size(); ++i) {
    const duck::idx_t column = state.columns[i];
    if (column >= kFixed + fields.size()) continue;  // count(*) asks for no column of ours.
    Filler filler(api, rows, api.data_chunk_get_vector(output, i));
    if (column < kFixed) {
      filler.fixed(column, *data.source);
    } else {
      filler.field(column - kFixed, fields[column - kFixed]);
    }
  }
  api.data_chunk_set_size(output, rows.count);
}

// Callbacks carry no context of ours but through a handle whose accessor is itself in the table.
// Every database of a process uses the same library, so one pointer serves them all.
std::atomic<const duck::Api*> the_api{nullptr};

// DuckDB's threads call these three: nothing may be thrown into it.
void on_bind(duck::BindInfo info) {
  const duck::Api& api = *the_api.load();
  try {
    bind(info, *static_cast<const ExtraInfo*>(api.bind_get_extra_info(info)));
  } catch (const std::exception& error) {
    api.bind_set_error(info, error.what());
  }
}

void on_init(duck::InitInfo info) {
  const duck::Api& api = *the_api.load();
  try {
    init(info, *static_cast<const BindData*>(api.init_get_bind_data(info)), api);
  } catch (const std::exception& error) {
    api.init_set_error(info, error.what());
  }
}

void on_scan(duck::CallInfo info, duck::Chunk output) {
  const duck::Api& api = *the_api.load();
  try {
    scan(*static_cast<const BindData*>(api.function_get_bind_data(info)),
         *static_cast<ScanState*>(api.function_get_init_data(info)), output);
  } catch (const std::exception& error) {
    api.function_set_error(info, error.what());
  }
}

}  // namespace

std::string sql_type(const Field& field) {
  switch (field.type) {
    case Type::Bool:
      return "BOOLEAN";
    case Type::Int:
      return "BIGINT";
    case Type::Float:
      return "DOUBLE";
    case Type::Decimal:
      return fmt::format("DECIMAL({}, {})", record::decimal_width(field),
                         field.resolution ? field.resolution->scale : 0);
    case Type::String:
      return "VARCHAR";
    case Type::Bytes:
      break;
  }
  return "BLOB";
}

std::string gateway_text(const record::GatewayId& id) {
  std::string out;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", static_cast<unsigned>(id[i]));
  }
  return out;
}

std::string stream_tag(const StreamInfo& stream) {
  std::string tag = stream.schema->stream;
  if (stream.origin != record::GatewayId{}) tag += '@' + gateway_text(stream.origin);
  return tag;
}

std::int64_t MemSources::add(std::shared_ptr<const MemSource> source) {
  const std::scoped_lock lock(mutex_);
  sources_[++last_] = std::move(source);
  return last_;
}

void MemSources::remove(std::int64_t id) {
  const std::scoped_lock lock(mutex_);
  sources_.erase(id);
}

std::shared_ptr<const MemSource> MemSources::find(std::int64_t id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = sources_.find(id);
  return found != sources_.end() ? found->second : nullptr;
}

Result<void> register_mem_scan(DuckConnection& connection, MemSources& sources) {
  const duck::Api& api = connection.api();
  the_api = &api;
  duck::TableFunction function = api.create_table_function();
  duck::LogicalType number = api.create_logical_type(static_cast<int>(duck::TypeId::BigInt));
  api.table_function_set_name(function, "ie_mem");
  for (int i = 0; i < 3; ++i) api.table_function_add_parameter(function, number);
  api.destroy_logical_type(&number);
  api.table_function_set_extra_info(function, new ExtraInfo{&api, &sources},
                                    [](void* p) { delete static_cast<ExtraInfo*>(p); });
  api.table_function_set_bind(function, on_bind);
  api.table_function_set_init(function, on_init);
  api.table_function_set_function(function, on_scan);
  api.table_function_supports_projection_pushdown(function, true);
  const int state = api.register_table_function(connection.handle(), function);
  api.destroy_table_function(&function);
  if (state != duck::kSuccess) return Error{Code::Internal, "DuckDB refuses the function ie_mem"};
  return {};
}

}  // namespace infiniedge::store
