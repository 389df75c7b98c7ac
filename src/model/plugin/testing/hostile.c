/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that breaks its contract on demand: the environment variable HOSTILE chooses what is wrong
 * with its table, the first word of a model's file what is wrong with the model. */
#include <infiniedge/backend.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct infiniedge_model {
  char word[32];
};

struct infiniedge_instance {
  const infiniedge_model* model;
};

static int alive = 0; /* Models and instances that are not released. */

__attribute__((visibility("default"))) int hostile_alive(void) { return alive; }

static int is(const infiniedge_model* model, const char* word) {
  return strcmp(model->word, word) == 0;
}

static infiniedge_code fail(infiniedge_error* error, infiniedge_code code, const char* text) {
  snprintf(error->text, error->size, "%s", text);
  return code;
}

static infiniedge_code probe(infiniedge_error* error) {
  const char* mode = getenv("HOSTILE");
  if (mode == NULL || strcmp(mode, "probe") != 0) return INFINIEDGE_OK;
  return fail(error, INFINIEDGE_UNSUPPORTED, "the accelerator is not plugged in");
}

static infiniedge_code load(const char* path, const infiniedge_load_options* options,
                            infiniedge_model** out, infiniedge_error* error) {
  FILE* file = fopen(path, "r");
  infiniedge_model* model = calloc(1, sizeof *model);
  (void)options;
  if (file == NULL || model == NULL || fscanf(file, "%31s", model->word) != 1) abort();
  fclose(file);
  if (is(model, "unloadable")) {
    free(model);
    return fail(error, INFINIEDGE_INVALID, "line 1: no model");
  }
  if (is(model, "nothing")) {
    free(model);
    return INFINIEDGE_OK;
  }
  ++alive;
  *out = model;
  return INFINIEDGE_OK;
}

static infiniedge_code describe(const infiniedge_model* model, infiniedge_description* out,
                                infiniedge_error* error) {
  static const int64_t batch[] = {-1}, rows[] = {-1, -1}, bad[] = {-7};
  static const infiniedge_spec input = {"x", INFINIEDGE_FP32, 1, batch};
  static const infiniedge_spec same = {"y", INFINIEDGE_FP32, 1, batch};
  static const infiniedge_spec open = {"y", INFINIEDGE_FP32, 2, rows};
  static const infiniedge_spec nameless = {NULL, INFINIEDGE_FP32, 1, batch};
  static const infiniedge_spec typeless = {"y", 99, 1, batch};
  static const infiniedge_spec shapeless = {"y", INFINIEDGE_FP32, 3, NULL};
  static const infiniedge_spec negative = {"y", INFINIEDGE_FP32, 1, bad};
  (void)error;
  out->input_count = out->output_count = 1;
  out->inputs = &input;
  out->outputs = &same;
  out->device = "npu";
  if (is(model, "grows") || is(model, "greedy")) out->outputs = &open;
  if (is(model, "nameless")) out->outputs = &nameless;
  if (is(model, "typeless")) out->outputs = &typeless;
  if (is(model, "shapeless")) out->outputs = &shapeless;
  if (is(model, "negative")) out->outputs = &negative;
  if (is(model, "countless")) out->output_count = 4000000000u;
  return INFINIEDGE_OK;
}

static infiniedge_code instance(infiniedge_model* model, infiniedge_instance** out,
                                infiniedge_error* error) {
  (void)error;
  *out = malloc(sizeof **out);
  if (*out == NULL) abort();
  (*out)->model = model;
  ++alive;
  return INFINIEDGE_OK;
}

/* An output of 2,000 numbers for each input, which nobody could foresee. */
static infiniedge_code run_grows(const infiniedge_input* inputs, infiniedge_output* output,
                                 infiniedge_error* error) {
  output->shape[0] = inputs[0].shape[0];
  output->shape[1] = 2000;
  output->bytes = inputs[0].bytes * 2000;
  if (output->bytes > output->capacity) return fail(error, INFINIEDGE_EXHAUSTED, "too small");
  memset(output->data, 0, output->bytes);
  return INFINIEDGE_OK;
}

static infiniedge_code run(infiniedge_instance* self, const infiniedge_input* inputs,
                           infiniedge_output* outputs, const int32_t* cancel,
                           infiniedge_error* error) {
  const infiniedge_model* model = self->model;
  if (is(model, "fails")) return fail(error, INFINIEDGE_UNAVAILABLE, "the accelerator was pulled");
  if (is(model, "mute")) return INFINIEDGE_INVALID;
  if (is(model, "codes")) return fail(error, (infiniedge_code)77, "what is this?");
  if (is(model, "babble")) {
    memset(error->text, 0xff, error->size); /* No UTF-8, no end. */
    return INFINIEDGE_INTERNAL;
  }
  if (is(model, "grows")) return run_grows(inputs, outputs, error);
  if (is(model, "greedy")) {
    outputs[0].bytes = (size_t)-1;
    return fail(error, INFINIEDGE_EXHAUSTED, "more");
  }
  if (is(model, "waits")) {
    while (__atomic_load_n(cancel, __ATOMIC_RELAXED) == 0) {
    }
    return fail(error, INFINIEDGE_CANCELLED, "cancelled");
  }
  outputs[0].shape[0] = is(model, "shapes") ? inputs[0].shape[0] + 1 : inputs[0].shape[0];
  if (is(model, "minus")) outputs[0].shape[0] = -1;
  outputs[0].bytes = is(model, "bytes") ? inputs[0].bytes + 4 : inputs[0].bytes;
  memcpy(outputs[0].data, inputs[0].data, inputs[0].bytes);
  return INFINIEDGE_OK;
}

static void release_instance(infiniedge_instance* self) {
  --alive;
  free(self);
}

static void release_model(infiniedge_model* model) {
  --alive;
  free(model);
}

__attribute__((visibility("default"))) const infiniedge_backend* infiniedge_backend_entry(
    uint32_t host_version) {
  static infiniedge_backend backend;
  const char* mode = getenv("HOSTILE");
  const infiniedge_backend whole = {
      sizeof whole, INFINIEDGE_BACKEND_VERSION, "hostile",        "model.txt",  probe, load,
      describe,     instance,                   run,              release_instance, release_model};
  (void)host_version;
  backend = whole;
  if (mode == NULL) return &backend;
  if (strcmp(mode, "none") == 0) return NULL;
  if (strcmp(mode, "version") == 0) backend.version = 2;
  if (strcmp(mode, "short") == 0) backend.size = 16;
  if (strcmp(mode, "null") == 0) backend.run = NULL;
  if (strcmp(mode, "name") == 0) backend.name = "../evil";
  if (strcmp(mode, "filename") == 0) backend.default_filename = "a/b";
  return &backend;
}
