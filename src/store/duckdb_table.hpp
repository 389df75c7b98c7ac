// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"

/// The part of DuckDB's C API that we call, declared here so that the build needs no header of
/// it. The library is opened at the first seal or query, never at start.
namespace infiniedge::store::duck {

using idx_t = std::uint64_t;
struct DatabaseTag;
struct ConnectionTag;
struct ConfigTag;
struct ExtractedTag;
struct StatementTag;
struct PendingTag;
struct ChunkTag;
struct VectorTag;
struct TypeTag;
struct FunctionTag;
struct ValueTag;
struct BindTag;
struct InitTag;
struct CallTag;
using Database = DatabaseTag*;
using Connection = ConnectionTag*;
using Config = ConfigTag*;
using Extracted = ExtractedTag*;
using Statement = StatementTag*;
using Pending = PendingTag*;
using Chunk = ChunkTag*;
using Vector = VectorTag*;
using LogicalType = TypeTag*;
using TableFunction = FunctionTag*;
using Value = ValueTag*;
using BindInfo = BindTag*;
using InitInfo = InitTag*;
using CallInfo = CallTag*;
using Deleter = void (*)(void*);

/// Passed by value to fetch_chunk: the layout is part of the interface.
struct RawResult {
  idx_t unused_columns = 0, unused_rows = 0, unused_changed = 0;
  void* unused_data = nullptr;
  char* unused_error = nullptr;
  void* internal = nullptr;
};

/// A string in a vector: up to 12 bytes stand in place.
struct String {
  std::uint32_t length;
  char prefix[4];
  const char* pointer;
  std::string_view view() const { return {length <= 12 ? prefix : pointer, length}; }
};
static_assert(sizeof(String) == 16);

struct HugeInt {
  std::uint64_t lower;
  std::int64_t upper;
};
struct Interval {
  std::int32_t months, days;
  std::int64_t micros;
};
struct ListEntry {
  std::uint64_t offset, length;
};

enum class TypeId : int {
  Invalid = 0,
  Boolean = 1,
  TinyInt = 2,
  SmallInt = 3,
  Integer = 4,
  BigInt = 5,
  UTinyInt = 6,
  USmallInt = 7,
  UInteger = 8,
  UBigInt = 9,
  Float = 10,
  Double = 11,
  Timestamp = 12,
  Date = 13,
  Time = 14,
  Interval = 15,
  HugeInt = 16,
  Varchar = 17,
  Blob = 18,
  Decimal = 19,
  TimestampS = 20,
  TimestampMs = 21,
  TimestampNs = 22,
  Enum = 23,
  List = 24,
  Struct = 25,
  Map = 26,
  Uuid = 27,
  TimestampTz = 31,
  UHugeInt = 32,
  Null = 36
};

constexpr int kSuccess = 0;
constexpr int kSelect = 1;  ///< Statement type.
enum PendingState : int { kReady = 0, kNotReady = 1, kFailed = 2, kNoTasks = 3 };

// X(return type, name without "duckdb_", parameters)
#define INFINIEDGE_DUCKDB_FUNCTIONS(X)                                             \
  X(const char*, library_version, ())                                              \
  X(int, create_config, (Config*))                                                 \
  X(int, set_config, (Config, const char*, const char*))                           \
  X(void, destroy_config, (Config*))                                               \
  X(int, open_ext, (const char*, Database*, Config, char**))                       \
  X(void, close, (Database*))                                                      \
  X(int, connect, (Database, Connection*))                                         \
  X(void, disconnect, (Connection*))                                               \
  X(void, interrupt, (Connection))                                                 \
  X(int, query, (Connection, const char*, RawResult*))                             \
  X(idx_t, extract_statements, (Connection, const char*, Extracted*))              \
  X(const char*, extract_statements_error, (Extracted))                            \
  X(int, prepare_extracted_statement, (Connection, Extracted, idx_t, Statement*))  \
  X(void, destroy_extracted, (Extracted*))                                         \
  X(const char*, prepare_error, (Statement))                                       \
  X(int, prepared_statement_type, (Statement))                                     \
  X(idx_t, nparams, (Statement))                                                   \
  X(int, bind_parameter_index, (Statement, idx_t*, const char*))                   \
  X(int, bind_null, (Statement, idx_t))                                            \
  X(int, bind_boolean, (Statement, idx_t, bool))                                   \
  X(int, bind_int64, (Statement, idx_t, std::int64_t))                             \
  X(int, bind_double, (Statement, idx_t, double))                                  \
  X(int, bind_varchar_length, (Statement, idx_t, const char*, idx_t))              \
  X(void, destroy_prepare, (Statement*))                                           \
  X(int, pending_prepared_streaming, (Statement, Pending*))                        \
  X(int, pending_execute_task, (Pending))                                          \
  X(const char*, pending_error, (Pending))                                         \
  X(int, execute_pending, (Pending, RawResult*))                                   \
  X(void, destroy_pending, (Pending*))                                             \
  X(Chunk, fetch_chunk, (RawResult))                                               \
  X(const char*, result_error, (RawResult*))                                       \
  X(int, result_error_type, (RawResult*))                                          \
  X(idx_t, column_count, (RawResult*))                                             \
  X(const char*, column_name, (RawResult*, idx_t))                                 \
  X(LogicalType, column_logical_type, (RawResult*, idx_t))                         \
  X(void, destroy_result, (RawResult*))                                            \
  X(idx_t, data_chunk_get_size, (Chunk))                                           \
  X(void, data_chunk_set_size, (Chunk, idx_t))                                     \
  X(Vector, data_chunk_get_vector, (Chunk, idx_t))                                 \
  X(void, destroy_data_chunk, (Chunk*))                                            \
  X(idx_t, vector_size, ())                                                        \
  X(void*, vector_get_data, (Vector))                                              \
  X(std::uint64_t*, vector_get_validity, (Vector))                                 \
  X(void, vector_ensure_validity_writable, (Vector))                               \
  X(void, vector_assign_string_element_len, (Vector, idx_t, const char*, idx_t))   \
  X(void, validity_set_row_invalid, (std::uint64_t*, idx_t))                       \
  X(Vector, list_vector_get_child, (Vector))                                       \
  X(Vector, struct_vector_get_child, (Vector, idx_t))                              \
  X(LogicalType, list_type_child_type, (LogicalType))                              \
  X(LogicalType, map_type_key_type, (LogicalType))                                 \
  X(LogicalType, map_type_value_type, (LogicalType))                               \
  X(idx_t, struct_type_child_count, (LogicalType))                                 \
  X(char*, struct_type_child_name, (LogicalType, idx_t))                           \
  X(LogicalType, struct_type_child_type, (LogicalType, idx_t))                     \
  X(int, enum_internal_type, (LogicalType))                                        \
  X(char*, enum_dictionary_value, (LogicalType, idx_t))                            \
  X(LogicalType, create_logical_type, (int))                                       \
  X(LogicalType, create_decimal_type, (std::uint8_t, std::uint8_t))                \
  X(int, get_type_id, (LogicalType))                                               \
  X(std::uint8_t, decimal_width, (LogicalType))                                    \
  X(std::uint8_t, decimal_scale, (LogicalType))                                    \
  X(int, decimal_internal_type, (LogicalType))                                     \
  X(void, destroy_logical_type, (LogicalType*))                                    \
  X(TableFunction, create_table_function, ())                                      \
  X(void, table_function_set_name, (TableFunction, const char*))                   \
  X(void, table_function_add_parameter, (TableFunction, LogicalType))              \
  X(void, table_function_set_extra_info, (TableFunction, void*, Deleter))          \
  X(void, table_function_set_bind, (TableFunction, void (*)(BindInfo)))            \
  X(void, table_function_set_init, (TableFunction, void (*)(InitInfo)))            \
  X(void, table_function_set_function, (TableFunction, void (*)(CallInfo, Chunk))) \
  X(void, table_function_supports_projection_pushdown, (TableFunction, bool))      \
  X(int, register_table_function, (Connection, TableFunction))                     \
  X(void, destroy_table_function, (TableFunction*))                                \
  X(void*, bind_get_extra_info, (BindInfo))                                        \
  X(Value, bind_get_parameter, (BindInfo, idx_t))                                  \
  X(void, bind_add_result_column, (BindInfo, const char*, LogicalType))            \
  X(void, bind_set_bind_data, (BindInfo, void*, Deleter))                          \
  X(void, bind_set_cardinality, (BindInfo, idx_t, bool))                           \
  X(void, bind_set_error, (BindInfo, const char*))                                 \
  X(std::int64_t, get_int64, (Value))                                              \
  X(void, destroy_value, (Value*))                                                 \
  X(void*, init_get_bind_data, (InitInfo))                                         \
  X(void, init_set_init_data, (InitInfo, void*, Deleter))                          \
  X(idx_t, init_get_column_count, (InitInfo))                                      \
  X(idx_t, init_get_column_index, (InitInfo, idx_t))                               \
  X(void, init_set_max_threads, (InitInfo, idx_t))                                 \
  X(void, init_set_error, (InitInfo, const char*))                                 \
  X(void*, function_get_bind_data, (CallInfo))                                     \
  X(void*, function_get_init_data, (CallInfo))                                     \
  X(void, function_set_error, (CallInfo, const char*))                             \
  X(void, free, (void*))

/// The loaded library. Thread: any.
struct Api {
#define INFINIEDGE_DUCKDB_MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  INFINIEDGE_DUCKDB_FUNCTIONS(INFINIEDGE_DUCKDB_MEMBER)
#undef INFINIEDGE_DUCKDB_MEMBER
};

/// Where the library may lie, in order of preference: $INFINIEDGE_DUCKDB alone if it is set, else
/// beside the installed program, else where scripts/setup put it.
std::vector<std::string> library_candidates();

/// Opens the first candidate that exists. It stays open for the life of the process.
/// Errors: Unavailable, saying how to install it (missing, version outside 1.4 ≤ v < 3, or a
///         function missing).
Result<const Api*> load(std::span<const std::string> candidates);
/// load(library_candidates()), once; a failure is tried again at the next call.
Result<const Api*> load();

}  // namespace infiniedge::store::duck
