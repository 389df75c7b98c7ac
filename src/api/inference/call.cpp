// SPDX-License-Identifier: Apache-2.0
#include "api/inference/call.hpp"

#include <charconv>
#include <utility>

#include "api/inference/call_parameter.hpp"
#include "api/inference/json_read.hpp"
#include "api/inference/json_tensor.hpp"
#include "base/bytes.hpp"

namespace infiniedge::api::inference {
namespace {

using Value = simdjson::ondemand::value;

/// An input, or an output of an answer, while it is read: where its bytes are.
struct RawInput {
  Tensor tensor;
  std::optional<std::int64_t> binary_size;
  std::optional<SharedSlice> shared;
  bool has_data = false, has_shape = false, has_type = false;
};

Result<void> read_shape(const Where& where, Value value, RawInput& input) {
  input.has_shape = true;
  return each_element(where, value, [&](const Where& here, Value element) -> Result<void> {
    auto dim = read_integer(here, element);
    if (!dim) return std::move(dim).error();
    if (*dim < 0) return json_error(here, "a dimension cannot be negative");
    if (input.tensor.shape.size() >= 32) return json_error(here, "more than 32 dimensions");
    input.tensor.shape.push_back(*dim);
    return {};
  });
}

Result<void> read_type(const Where& where, Value value, RawInput& input) {
  auto name = read_string(where, value);
  if (!name) return std::move(name).error();
  const auto type = data_type_from(*name);
  if (!type) return json_error(where, fmt::format("'{}' is no data type of the protocol", *name));
  input.tensor.type = *type;
  input.has_type = true;
  return {};
}

/// The three parameters that name a slice of shared memory. False: it is none of them.
Result<bool> read_slice(const Where& here, std::string_view key, Value v,
                        std::optional<SharedSlice>& slice) {
  if (!key.starts_with("shared_memory_")) return false;
  const auto word = key.substr(14);
  if (word != "region" && word != "byte_size" && word != "offset") return false;
  if (!slice) slice.emplace();
  if (word == "region") {
    auto name = read_string(here, v);
    if (!name) return std::move(name).error();
    slice->region = std::move(*name);
    return true;
  }
  auto number = read_integer(here, v);
  if (!number) return std::move(number).error();
  if (*number < 0) return json_error(here, "cannot be negative");
  (word == "offset" ? slice->offset : slice->byte_size) = static_cast<std::uint64_t>(*number);
  return true;
}

Result<void> check_slice(const Where& where, const std::optional<SharedSlice>& slice) {
  if (!slice || (!slice->region.empty() && slice->byte_size > 0)) return {};
  return json_error(where,
                    "shared memory needs shared_memory_region and "
                    "shared_memory_byte_size");
}

Result<void> read_input_parameters(const Where& where, Value value, RawInput& input) {
  auto object = read_object(where, value);
  if (!object) return std::move(object).error();
  return each_member(where, *object,
                     [&](const Where& here, std::string_view key, auto v) -> Result<void> {
                       auto shared = read_slice(here, key, v, input.shared);
                       if (!shared) return std::move(shared).error();
                       if (key != "binary_data_size") {
                         return *shared ? Result<void>{} : check_parameter(here, v);
                       }
                       auto size = read_integer(here, v);
                       if (!size) return std::move(size).error();
                       if (*size < 0) return json_error(here, "a size cannot be negative");
                       input.binary_size = *size;
                       return {};
                     });
}

/// `data` may stand before shape and type: it is read in a second pass.
Result<void> read_input(const Where& where, Value value, RawInput& input) {
  auto object = read_object(where, value);
  if (!object) return std::move(object).error();
  INFINIEDGE_TRY(each_member(where, *object,
                             [&](const Where& here, std::string_view key, Value v) -> Result<void> {
                               if (key == "name") {
                                 auto name = read_string(here, v);
                                 if (!name) return std::move(name).error();
                                 input.tensor.name = std::move(*name);
                               } else if (key == "shape") {
                                 return read_shape(here, v, input);
                               } else if (key == "datatype") {
                                 return read_type(here, v, input);
                               } else if (key == "parameters") {
                                 return read_input_parameters(here, v, input);
                               } else if (key == "data") {
                                 input.has_data = !v.raw_json_token().starts_with("null");
                               }
                               return {};
                             }));
  if (input.tensor.name.empty()) return json_error(where, "a tensor needs a name");
  if (!input.has_shape) return json_error(where, "a tensor needs a shape");
  if (!input.has_type) return json_error(where, "a tensor needs a datatype");
  INFINIEDGE_TRY(check_slice(where, input.shared));
  const int places =
      (input.has_data ? 1 : 0) + (input.binary_size ? 1 : 0) + (input.shared ? 1 : 0);
  if (places != 1) {
    return json_error(where,
                      "a tensor needs exactly one of data, binary_data_size and "
                      "shared_memory_region");
  }
  if (!input.has_data) return {};
  if (const auto reset = object->reset(); reset.error()) {
    return json_error(where, reset.error(), "expected an object");
  }
  return each_member(where, *object,
                     [&](const Where& here, std::string_view key, Value v) -> Result<void> {
                       return key == "data" ? read_data(here, v, input.tensor) : Result<void>{};
                     });
}

/// Binary tensors lie back to back behind the JSON, in its order.
class Tail {
 public:
  Tail(const std::shared_ptr<const std::string>& body, std::size_t from)
      : body_(body), next_(from) {}

  Result<void> give(RawInput& input) {
    if (!input.binary_size) return {};
    const auto size = static_cast<std::size_t>(*input.binary_size);
    if (size > left()) {
      return Error{Code::Invalid, fmt::format("input '{}' announces {} bytes, the body has {} left",
                                              input.tensor.name, size, left())};
    }
    input.tensor.data = base::as_bytes(*body_).subspan(next_, size);
    input.tensor.owner = body_;
    next_ += size;
    return {};
  }
  std::size_t left() const { return body_->size() - next_; }

 private:
  const std::shared_ptr<const std::string>& body_;
  std::size_t next_;
};

Result<void> read_inputs(const Where& where, Value value, Tail& tail, Call& call) {
  return each_element(where, value, [&](const Where& here, Value element) -> Result<void> {
    RawInput input;
    INFINIEDGE_TRY(read_input(here, element, input));
    INFINIEDGE_TRY(tail.give(input));
    if (input.shared) {
      call.shared_inputs.push_back({call.request.inputs.size(), std::move(*input.shared)});
    }
    call.request.inputs.push_back(std::move(input.tensor));
    return {};
  });
}

struct RawOutput {
  std::string name;
  std::optional<bool> binary;
  std::int64_t classes = 0;
  std::optional<SharedSlice> shared;
};

Result<void> read_output_parameter(const Where& here, std::string_view key, Value v,
                                   RawOutput& output) {
  auto shared = read_slice(here, key, v, output.shared);
  if (!shared) return std::move(shared).error();
  if (key == "binary_data") {
    auto flag = read_bool(here, v);
    if (!flag) return std::move(flag).error();
    output.binary = *flag;
  } else if (key == "classification") {
    auto count = read_integer(here, v);
    if (!count) return std::move(count).error();
    if (*count < 1) return json_error(here, "ask for at least one class");
    output.classes = *count;
  } else if (!*shared) {
    return check_parameter(here, v);
  }
  return {};
}

Result<void> read_output(const Where& where, Value value, RawOutput& output) {
  auto object = read_object(where, value);
  if (!object) return std::move(object).error();
  INFINIEDGE_TRY(each_member(
      where, *object, [&](const Where& here, std::string_view key, Value v) -> Result<void> {
        if (key == "name") {
          auto name = read_string(here, v);
          if (!name) return std::move(name).error();
          output.name = std::move(*name);
        } else if (key == "parameters") {
          auto inner = read_object(here, v);
          if (!inner) return std::move(inner).error();
          return each_member(here, *inner, [&](const Where& at, std::string_view k, Value p) {
            return read_output_parameter(at, k, p, output);
          });
        }
        return {};
      }));
  if (output.name.empty()) return json_error(where, "an output needs a name");
  if (output.shared && output.classes > 0) {
    return json_error(where, "classification cannot go to shared memory");
  }
  return check_slice(where, output.shared);
}

/// The whole document; the members may come in any order.
Result<void> read_document(simdjson::ondemand::document& document, Tail& tail, Call& call) {
  const Where root;
  simdjson::ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    return json_error(root, error, "expected an object");
  }
  std::vector<RawOutput> outputs;
  bool has_inputs = false;
  INFINIEDGE_TRY(each_member(
      root, object, [&](const Where& here, std::string_view key, Value v) -> Result<void> {
        if (key == "inputs") {
          if (std::exchange(has_inputs, true)) return json_error(here, "given twice");
          return read_inputs(here, v, tail, call);
        }
        if (key == "outputs") {
          return each_element(here, v, [&](const Where& at, Value element) {
            return read_output(at, element, outputs.emplace_back());
          });
        }
        if (key == "id") {
          auto id = read_string(here, v);
          if (!id) return std::move(id).error();
          call.id = std::move(*id);
        } else if (key == "parameters") {
          auto inner = read_object(here, v);
          if (!inner) return std::move(inner).error();
          return each_member(here, *inner, [&](const Where& at, std::string_view k, Value p) {
            return read_call_parameter(at, k, p, call);
          });
        }
        return {};
      }));
  if (!has_inputs) return json_error(root, "'inputs' is missing");
  if (!ended(document)) return json_error(root, "something follows the JSON object");
  settle_sequence(call);
  for (auto& output : outputs) {
    call.request.outputs.push_back(output.name);
    call.outputs.push_back({std::move(output.name), output.binary.value_or(call.binary_default),
                            output.classes, std::move(output.shared)});
  }
  return {};
}

/// The body as the single input, at batch 1; at most one dimension is inferred.
Result<Call> read_raw(const model::ModelConfig& config,
                      const std::shared_ptr<const std::string>& body) {
  if (config.inputs.size() != 1) {
    return Error{Code::Invalid, fmt::format("a raw request needs a model with one input; '{}' has "
                                            "{}",
                                            config.name, config.inputs.size())};
  }
  const auto& io = config.inputs[0];
  Tensor tensor{io.name, io.type, io.dims, base::as_bytes(*body), body};
  if (io.type == DataType::Bytes) {
    auto packed = std::make_shared<std::string>();
    base::put(*packed, static_cast<std::uint32_t>(body->size()));
    packed->append(*body);
    tensor.data = base::as_bytes(*packed);
    tensor.owner = std::move(packed);
    for (auto& dim : tensor.shape) dim = 1;
  } else {
    auto left = static_cast<std::int64_t>(body->size() / element_size(io.type));
    std::int64_t* open = nullptr;
    for (auto& dim : tensor.shape) {
      if (dim < 0 && open != nullptr) {
        return Error{Code::Invalid, fmt::format("a raw request to '{}' is ambiguous: several "
                                                "dimensions of '{}' vary",
                                                config.name, io.name)};
      }
      if (dim < 0) {
        open = &dim;
      } else if (dim > 0) {
        left /= dim;
      }
    }
    if (open != nullptr) *open = left;
  }
  if (config.max_batch() > 0) tensor.shape.insert(tensor.shape.begin(), 1);
  Call call{.request = {.model = config.name}, .binary_default = true};
  call.request.inputs.push_back(std::move(tensor));
  return call;
}

/// Length of the JSON part.
Result<std::size_t> json_length(std::string_view header, std::size_t body) {
  if (header.empty()) return body;
  std::size_t length = 0;
  const auto [stop, error] = std::from_chars(header.data(), header.data() + header.size(), length);
  if (error != std::errc{} || stop != header.data() + header.size() || length > body) {
    return Error{Code::Invalid,
                 fmt::format("Inference-Header-Content-Length '{}' must be a number of bytes, at "
                             "most the {} of the body",
                             header, body)};
  }
  return length;
}

}  // namespace

struct CallReader::Parser {
  simdjson::ondemand::parser parser;
  std::string padded;

  /// simdjson reads past the end: in place where the body goes on, else from a copy.
  simdjson::padded_string_view view(const std::string& body, std::size_t length) {
    if (body.size() - length >= simdjson::SIMDJSON_PADDING) {
      return simdjson::padded_string_view(body.data(), length, body.size());
    }
    padded.reserve(length + simdjson::SIMDJSON_PADDING);
    padded.assign(body, 0, length);
    padded.append(simdjson::SIMDJSON_PADDING, '\0');
    return simdjson::padded_string_view(padded.data(), length, padded.size());
  }
};

CallReader::CallReader() : parser_(std::make_unique<Parser>()) {}
CallReader::~CallReader() = default;

Result<Call> CallReader::read(const model::ModelConfig& config,
                              std::shared_ptr<const std::string> body, std::string_view header) {
  auto length = json_length(header, body->size());
  if (!length) return std::move(length).error();
  if (!header.empty() && *length == 0) return read_raw(config, body);
  simdjson::ondemand::document document;
  const auto view = parser_->view(*body, *length);
  if (const auto error = parser_->parser.iterate(view).get(document)) {
    return json_error({}, error, "expected an object");
  }
  Call call;
  call.request.model = config.name;
  Tail tail(body, *length);
  INFINIEDGE_TRY(read_document(document, tail, call));
  if (tail.left() > 0) {
    return Error{Code::Invalid,
                 fmt::format("{} bytes are left over behind the binary tensors", tail.left())};
  }
  return call;
}

Result<std::vector<Tensor>> read_answer(const std::string& body) {
  std::vector<Tensor> out;
  const auto read_one = [&out](const Where& where, Value element) -> Result<void> {
    RawInput output;
    INFINIEDGE_TRY(read_input(where, element, output));
    if (!output.has_data) return json_error(where, "its values must stand in `data`");
    out.push_back(std::move(output.tensor));
    return {};
  };
  INFINIEDGE_TRY(read_body(body, [&](const Where& where, std::string_view key, Value value) {
    return key == "outputs" ? each_element(where, value, read_one) : Result<void>{};
  }));
  if (out.empty()) return json_error({}, "'outputs' is missing or empty");
  return out;
}

}  // namespace infiniedge::api::inference
