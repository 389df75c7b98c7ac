// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The part of OpenVINO's C interface that we call, by name. Its enumerations were renumbered
/// between releases: library.cpp accepts only the release they were read from.
namespace infiniedge::model::openvino {

struct OvCore;
struct OvModel;
struct OvCompiledModel;
struct OvInferRequest;
struct OvPort;
struct OvTensor;

/// Of ov_status_e; anything else is a failure too.
enum class OvStatus : int {
  Ok = 0,
  GeneralError = -1,
  NotImplemented = -2,
  ParameterMismatch = -4,
  NotFound = -5,
  InferCancelled = -13
};

/// Of ov_element_type_e, release 2026.
enum class OvElement : int {
  Boolean = 1,
  Bf16 = 2,
  Fp16 = 3,
  Fp32 = 4,
  Fp64 = 5,
  Int8 = 7,
  Int16 = 8,
  Int32 = 9,
  Int64 = 10,
  Uint8 = 16,
  Uint16 = 17,
  Uint32 = 18,
  Uint64 = 19,
  String = 23
};

struct OvVersion {
  const char* build_number;
  const char* description;
};
struct OvShape {
  std::int64_t rank;
  std::int64_t* dims;
};
struct OvDimension {
  std::int64_t min, max;
};
struct OvPartialShape {
  OvDimension rank;
  OvDimension* dims;
};
struct OvProperty {
  const char* key;
  const void* value;
};

// name, result, arguments
#define INFINIEDGE_OPENVINO_FUNCTIONS(X)                                                          \
  X(ov_get_openvino_version, OvStatus, (OvVersion*))                                              \
  X(ov_version_free, void, (OvVersion*))                                                          \
  X(ov_get_error_info, const char*, (OvStatus))                                                   \
  X(ov_get_last_err_msg, const char*, ())                                                         \
  X(ov_free, void, (const char*))                                                                 \
  X(ov_core_create, OvStatus, (OvCore**))                                                         \
  X(ov_core_free, void, (OvCore*))                                                                \
  X(ov_core_read_model, OvStatus, (const OvCore*, const char*, const char*, OvModel**))           \
  X(ov_model_free, void, (OvModel*))                                                              \
  X(ov_core_compile_model_props, OvStatus,                                                        \
    (const OvCore*, const OvModel*, const char*, std::size_t, const OvProperty*,                  \
     OvCompiledModel**))                                                                          \
  X(ov_compiled_model_free, void, (OvCompiledModel*))                                             \
  X(ov_compiled_model_inputs_size, OvStatus, (const OvCompiledModel*, std::size_t*))              \
  X(ov_compiled_model_outputs_size, OvStatus, (const OvCompiledModel*, std::size_t*))             \
  X(ov_compiled_model_input_by_index, OvStatus, (const OvCompiledModel*, std::size_t, OvPort**))  \
  X(ov_compiled_model_output_by_index, OvStatus, (const OvCompiledModel*, std::size_t, OvPort**)) \
  X(ov_output_const_port_free, void, (OvPort*))                                                   \
  X(ov_port_get_any_name, OvStatus, (const OvPort*, char**))                                      \
  X(ov_port_get_partial_shape, OvStatus, (const OvPort*, OvPartialShape*))                        \
  X(ov_port_get_element_type, OvStatus, (const OvPort*, OvElement*))                              \
  X(ov_partial_shape_free, void, (OvPartialShape*))                                               \
  X(ov_compiled_model_create_infer_request, OvStatus, (const OvCompiledModel*, OvInferRequest**)) \
  X(ov_infer_request_free, void, (OvInferRequest*))                                               \
  X(ov_infer_request_set_input_tensor_by_index, OvStatus,                                         \
    (OvInferRequest*, std::size_t, const OvTensor*))                                              \
  X(ov_infer_request_set_output_tensor_by_index, OvStatus,                                        \
    (OvInferRequest*, std::size_t, const OvTensor*))                                              \
  X(ov_infer_request_get_output_tensor_by_index, OvStatus,                                        \
    (const OvInferRequest*, std::size_t, OvTensor**))                                             \
  X(ov_infer_request_infer, OvStatus, (OvInferRequest*))                                          \
  X(ov_infer_request_start_async, OvStatus, (OvInferRequest*))                                    \
  X(ov_infer_request_wait, OvStatus, (OvInferRequest*))                                           \
  X(ov_infer_request_cancel, OvStatus, (OvInferRequest*))                                         \
  X(ov_tensor_create_from_host_ptr, OvStatus, (OvElement, OvShape, void*, OvTensor**))            \
  X(ov_tensor_get_shape, OvStatus, (const OvTensor*, OvShape*))                                   \
  X(ov_shape_free, OvStatus, (OvShape*))                                                          \
  X(ov_tensor_get_byte_size, OvStatus, (const OvTensor*, std::size_t*))                           \
  X(ov_tensor_data, OvStatus, (const OvTensor*, void**))                                          \
  X(ov_tensor_free, void, (OvTensor*))

/// The functions as found in the library.
struct OvTable {
#define INFINIEDGE_OPENVINO_MEMBER(name, result, arguments) result(*name) arguments = nullptr;
  INFINIEDGE_OPENVINO_FUNCTIONS(INFINIEDGE_OPENVINO_MEMBER)
#undef INFINIEDGE_OPENVINO_MEMBER
};

}  // namespace infiniedge::model::openvino
