/* SPDX-License-Identifier: Apache-2.0 */
/* Polynomials as models: a text file of coefficients, lowest first; y = c0 + c1 x + c2 x^2 + … */
#include <errno.h>
#include <infiniedge/backend.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COEFFICIENTS = 64, MAX_LINE = 128 };

struct infiniedge_model {
  double coefficients[MAX_COEFFICIENTS];
  int count;
};

struct infiniedge_instance {
  const infiniedge_model* model;
};

__attribute__((format(printf, 3, 4))) static infiniedge_code fail(infiniedge_error* error,
                                                                  infiniedge_code code,
                                                                  const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text, error->size, format, arguments);
  va_end(arguments);
  return code;
}

static infiniedge_code probe(infiniedge_error* error) {
  (void)error;
  return INFINIEDGE_OK;
}

static infiniedge_code read_line(infiniedge_model* model, const char* line, const char* path,
                                 infiniedge_error* error) {
  char* end = NULL;
  if (model->count == MAX_COEFFICIENTS) {
    return fail(error, INFINIEDGE_INVALID, "%s: more than %d coefficients", path, MAX_COEFFICIENTS);
  }
  model->coefficients[model->count] = strtod(line, &end);
  if (end == line || (*end != '\n' && *end != '\0') ||
      !isfinite(model->coefficients[model->count])) {
    return fail(error, INFINIEDGE_INVALID, "%s:%d: write one finite number a line", path,
                model->count + 1);
  }
  ++model->count;
  return INFINIEDGE_OK;
}

static infiniedge_code load(const char* path, const infiniedge_load_options* options,
                            infiniedge_model** out, infiniedge_error* error) {
  char line[MAX_LINE];
  infiniedge_code code = INFINIEDGE_OK;
  infiniedge_model* model;
  FILE* file = fopen(path, "r");
  (void)options;
  if (file == NULL) return fail(error, INFINIEDGE_NOT_FOUND, "%s: %s", path, strerror(errno));
  model = calloc(1, sizeof *model);
  if (model == NULL) code = fail(error, INFINIEDGE_EXHAUSTED, "no memory for %s", path);
  while (code == INFINIEDGE_OK && fgets(line, sizeof line, file) != NULL) {
    code = read_line(model, line, path, error);
  }
  fclose(file);
  if (code == INFINIEDGE_OK && model->count == 0) {
    code = fail(error, INFINIEDGE_INVALID, "%s holds no coefficient", path);
  }
  if (code == INFINIEDGE_OK) {
    *out = model;
  } else {
    free(model);
  }
  return code;
}

static infiniedge_code describe(const infiniedge_model* model, infiniedge_description* out,
                                infiniedge_error* error) {
  static const int64_t shape[] = {-1};
  static const infiniedge_spec input = {"x", INFINIEDGE_FP64, 1, shape};
  static const infiniedge_spec output = {"y", INFINIEDGE_FP64, 1, shape};
  (void)model;
  (void)error;
  out->input_count = out->output_count = 1;
  out->inputs = &input;
  out->outputs = &output;
  out->device = "cpu";
  return INFINIEDGE_OK;
}

static infiniedge_code instance(infiniedge_model* model, infiniedge_instance** out,
                                infiniedge_error* error) {
  *out = malloc(sizeof **out);
  if (*out == NULL) return fail(error, INFINIEDGE_EXHAUSTED, "no memory for an instance");
  (*out)->model = model;
  return INFINIEDGE_OK;
}

static infiniedge_code run(infiniedge_instance* self, const infiniedge_input* inputs,
                           infiniedge_output* outputs, const int32_t* cancel,
                           infiniedge_error* error) {
  const infiniedge_model* model = self->model;
  const double* x = inputs[0].data;
  double* y = outputs[0].data;
  const size_t count = inputs[0].bytes / sizeof *x;
  size_t i;
  outputs[0].bytes = inputs[0].bytes;
  outputs[0].shape[0] = (int64_t)count;
  if (outputs[0].capacity < outputs[0].bytes) {
    return fail(error, INFINIEDGE_EXHAUSTED, "y needs %zu bytes", outputs[0].bytes);
  }
  for (i = 0; i < count; ++i) {
    double sum = 0;
    int c;
    if (i % 1024 == 0 && __atomic_load_n(cancel, __ATOMIC_RELAXED) != 0) {
      return fail(error, INFINIEDGE_CANCELLED, "cancelled after %zu values", i);
    }
    if (!isfinite(x[i])) {
      return fail(error, INFINIEDGE_INVALID, "x[%zu] is not finite; leave such values out", i);
    }
    for (c = model->count - 1; c >= 0; --c) sum = sum * x[i] + model->coefficients[c];
    y[i] = sum;
  }
  return INFINIEDGE_OK;
}

static void release_instance(infiniedge_instance* self) { free(self); }
static void release_model(infiniedge_model* model) { free(model); }

__attribute__((visibility("default"))) const infiniedge_backend* infiniedge_backend_entry(
    uint32_t host_version) {
  static const infiniedge_backend backend = {sizeof backend,
                                             INFINIEDGE_BACKEND_VERSION,
                                             "polynomial",
                                             "polynomial.txt",
                                             probe,
                                             load,
                                             describe,
                                             instance,
                                             run,
                                             release_instance,
                                             release_model};
  return host_version == INFINIEDGE_BACKEND_VERSION ? &backend : NULL;
}
