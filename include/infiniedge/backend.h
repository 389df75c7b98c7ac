/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INFINIEDGE_BACKEND_H
#define INFINIEDGE_BACKEND_H

/*
 * The C interface of inference backends that are built outside this tree.
 *
 * A backend is a shared library that exports one function,
 *
 *     const infiniedge_backend* infiniedge_backend_entry(uint32_t host_version);
 *
 * and lies in the node's plugins folder. A model asks for it by name: `backend: acme`.
 *
 * Flow:    model server -> [infiniedge_backend] -> your runtime
 * Thread:  entry, probe, load, instance and the two releases run on workers, several at once.
 *          run is called by one thread at a time for each instance; the instances of a model run
 *          beside each other.
 * Owner:   the node. It releases every instance before its model, and never unloads the library
 *          while it runs.
 * Errors:  a code, and a sentence written into the caller's buffer: what was wrong, where, and
 *          what to do. No exception and no longjmp leaves a function.
 *
 * Versions: a change that old backends do not survive gets a new INFINIEDGE_BACKEND_VERSION; the
 * node refuses any other. What is added without that goes to the end of a struct, and `size` tells
 * how much of it the other side knows.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INFINIEDGE_BACKEND_VERSION 1u

/* What the caller should do about a failure; the codes of infiniedge/result.hpp, moved by one. */
typedef enum infiniedge_code {
  INFINIEDGE_OK = 0,
  INFINIEDGE_INVALID = 1,
  INFINIEDGE_NOT_FOUND = 2,
  INFINIEDGE_EXISTS = 3,
  INFINIEDGE_DENIED = 4,
  INFINIEDGE_UNSUPPORTED = 5,
  INFINIEDGE_UNAVAILABLE = 6,
  INFINIEDGE_TIMEOUT = 7,
  INFINIEDGE_CANCELLED = 8,
  INFINIEDGE_EXHAUSTED = 9,
  INFINIEDGE_CORRUPT = 10,
  INFINIEDGE_STALE = 11,
  INFINIEDGE_INTERNAL = 12
} infiniedge_code;

/* Element types of the Open Inference Protocol. BYTES elements are a little-endian uint32 length
 * and that many bytes. */
typedef enum infiniedge_type {
  INFINIEDGE_BOOL = 0,
  INFINIEDGE_UINT8 = 1,
  INFINIEDGE_UINT16 = 2,
  INFINIEDGE_UINT32 = 3,
  INFINIEDGE_UINT64 = 4,
  INFINIEDGE_INT8 = 5,
  INFINIEDGE_INT16 = 6,
  INFINIEDGE_INT32 = 7,
  INFINIEDGE_INT64 = 8,
  INFINIEDGE_FP16 = 9,
  INFINIEDGE_FP32 = 10,
  INFINIEDGE_FP64 = 11,
  INFINIEDGE_BYTES = 12,
  INFINIEDGE_BF16 = 13
} infiniedge_type;

/* A buffer for the sentence of an error, ended by a zero byte. */
typedef struct infiniedge_error {
  char* text;
  size_t size; /* Of text, with the zero byte. */
} infiniedge_error;

/* An input or output of a model; -1 is a dimension that varies. */
typedef struct infiniedge_spec {
  const char* name;
  int32_t type; /* infiniedge_type */
  uint32_t rank;
  const int64_t* shape;
} infiniedge_spec;

/* What a model is; valid until the model is released. */
typedef struct infiniedge_description {
  uint32_t size; /* Set by the node: sizeof as the node knows it. */
  uint32_t input_count, output_count;
  const infiniedge_spec* inputs;
  const infiniedge_spec* outputs;
  const char* device; /* What really computes: "cpu", "gpu:0", "npu". */
} infiniedge_description;

typedef struct infiniedge_parameter {
  const char* key;
  const char* value;
} infiniedge_parameter;

typedef struct infiniedge_load_options {
  uint32_t size;
  int32_t threads;   /* Of one execution. */
  int32_t instances; /* That will run beside each other. */
  uint32_t parameter_count;
  const infiniedge_parameter* parameters; /* Of the model's configuration; yours and others'. */
} infiniedge_load_options;

/* A dense, row-major, little-endian tensor, in the order of the description. Data is aligned for
 * its type. */
typedef struct infiniedge_input {
  int32_t type;
  uint32_t rank;
  const int64_t* shape; /* Complete. */
  const void* data;
  size_t bytes;
} infiniedge_input;

/* Room for an output. run writes the data, and sets the shape and the bytes. If `capacity` is too
 * small it sets `bytes` of every output to what is needed and returns INFINIEDGE_EXHAUSTED; the
 * node makes room and runs once more. */
typedef struct infiniedge_output {
  int32_t type; /* Of the description. */
  uint32_t rank;
  int64_t* shape; /* rank numbers. */
  void* data;
  size_t capacity, bytes;
} infiniedge_output;

/* Yours to define. */
typedef struct infiniedge_model infiniedge_model;
typedef struct infiniedge_instance infiniedge_instance;

/* A backend: static, read-only memory of the library. No function may be null. */
typedef struct infiniedge_backend {
  uint32_t size;    /* sizeof(infiniedge_backend) as you know it. */
  uint32_t version; /* INFINIEDGE_BACKEND_VERSION. */
  const char* name; /* What a model writes as `backend`: [a-z0-9_-], up to 64. */
  const char* default_filename;

  /* Is this library able to work on this machine? Called once, when the node starts. */
  infiniedge_code (*probe)(infiniedge_error* error);
  infiniedge_code (*load)(const char* path, const infiniedge_load_options* options,
                          infiniedge_model** model, infiniedge_error* error);
  infiniedge_code (*describe)(const infiniedge_model* model, infiniedge_description* description,
                              infiniedge_error* error);
  infiniedge_code (*instance)(infiniedge_model* model, infiniedge_instance** instance,
                              infiniedge_error* error);
  /* `cancel` turns to anything but 0 when nobody wants the result any more: read it atomically from
   * time to time, and return INFINIEDGE_CANCELLED. */
  infiniedge_code (*run)(infiniedge_instance* instance, const infiniedge_input* inputs,
                         infiniedge_output* outputs, const int32_t* cancel,
                         infiniedge_error* error);
  void (*release_instance)(infiniedge_instance* instance);
  void (*release_model)(infiniedge_model* model);
} infiniedge_backend;

/* Returns null if the library cannot work with that version. */
typedef const infiniedge_backend* (*infiniedge_backend_entry_function)(uint32_t host_version);

#define INFINIEDGE_BACKEND_ENTRY "infiniedge_backend_entry"

#ifdef __cplusplus
}
#endif

#endif /* INFINIEDGE_BACKEND_H */
