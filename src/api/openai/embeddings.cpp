// SPDX-License-Identifier: Apache-2.0
#include "api/openai/embeddings.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <numeric>

#include "api/openai/problem.hpp"
#include "api/problem.hpp"

namespace infiniedge::api::openai {
namespace {

namespace json = boost::json;
using runtime::http::Request;
using runtime::http::Response;
using Tokens = std::vector<std::int64_t>;

constexpr std::size_t kMostInputs = 2048;      ///< As OpenAI has it.
constexpr std::size_t kMostTokens = 512;       ///< Positions that a BERT has.
constexpr std::size_t kMostText = 256U << 10;  ///< Bytes of one text; more cannot be 512 tokens.

Error invalid(std::string message) { return {Code::Invalid, std::move(message)}; }

Result<Tokens> read_tokens(const json::array& array) {
  Tokens out;
  for (const auto& item : array) {
    const auto* number = item.if_int64();
    if (number == nullptr || *number < 0) return invalid("input: a token is a number from 0 on");
    out.push_back(*number);
  }
  return out;
}

Result<void> read_item(EmbeddingRequest& out, const json::value& item) {
  if (const auto* text = item.if_string()) {
    if (text->size() > kMostText) {
      return invalid(fmt::format("input: a text of {} bytes is too long for {} tokens",
                                 text->size(), kMostTokens));
    }
    out.texts.emplace_back(text->c_str(), text->size());
    return {};
  }
  if (!item.is_array()) return invalid("input: an item is a string or an array of tokens");
  auto tokens = read_tokens(item.get_array());
  if (!tokens) return tokens.error();
  out.tokens.push_back(std::move(*tokens));
  return {};
}

Result<void> read_input(EmbeddingRequest& out, const json::value* input) {
  if (input == nullptr) return invalid("input is missing: a string or an array");
  if (input->is_string()) return read_item(out, *input);
  if (!input->is_array()) return invalid("input: expected a string or an array");
  const auto& items = input->get_array();
  if (items.empty()) return invalid("input is empty");
  if (items.front().is_number()) return read_item(out, *input);
  if (items.size() > kMostInputs) {
    return invalid(fmt::format("input has {} items; at most {}", items.size(), kMostInputs));
  }
  for (const auto& item : items) INFINIEDGE_TRY(read_item(out, item));
  if (!out.texts.empty() && !out.tokens.empty()) return invalid("input mixes texts and tokens");
  return {};
}

Result<void> read_options(EmbeddingRequest& out, const json::object& body, std::string& param) {
  param = "encoding_format";
  if (const auto* format = body.if_contains("encoding_format"); format && !format->is_null()) {
    out.base64 = *format == "base64";
    if (!out.base64 && *format != "float") return invalid("encoding_format is float or base64");
  }
  param = "dimensions";
  if (const auto* wanted = body.if_contains("dimensions"); wanted && !wanted->is_null()) {
    const auto* number = wanted->if_int64();
    if (number == nullptr || *number < 1) return invalid("dimensions is a number from 1 on");
    out.dimensions = static_cast<std::size_t>(*number);
  }
  return {};
}

std::string base64_of(std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const auto n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                 reinterpret_cast<const unsigned char*>(bytes.data()),
                                 static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

Tensor tensor_of(std::string name, Tokens values) {
  const auto n = static_cast<std::int64_t>(values.size());
  auto block = std::make_shared<const Tokens>(std::move(values));
  const auto bytes = std::as_bytes(std::span(*block));
  return {std::move(name), DataType::Int64, {1, n}, bytes, std::move(block)};
}

model::InferRequest request_for(const model::Served& served, Tokens tokens) {
  model::InferRequest out{.model = served.config().name,
                          .version = std::to_string(served.version())};
  const auto n = tokens.size();
  for (const auto& input : served.config().inputs) {
    if (input.name == "input_ids") out.inputs.push_back(tensor_of(input.name, std::move(tokens)));
    if (input.name == "attention_mask") out.inputs.push_back(tensor_of(input.name, Tokens(n, 1)));
    if (input.name == "token_type_ids") out.inputs.push_back(tensor_of(input.name, Tokens(n, 0)));
  }
  return out;
}

/// One vector of length 1: the only row, or the mean of the rows.
Result<std::vector<float>> pooled(const std::vector<Tensor>& outputs) {
  const auto output = std::ranges::find_if(outputs, [](const Tensor& tensor) {
    return tensor.type == DataType::Fp32 && tensor.shape.size() >= 2 && tensor.elements() > 0;
  });
  if (output == outputs.end()) {
    return Error{Code::Unsupported, "the model has no FP32 output of vectors"};
  }
  const auto width = static_cast<std::size_t>(output->shape.back());
  const auto rows = static_cast<std::size_t>(output->elements()) / width;
  std::vector<float> values(rows * width);
  std::memcpy(values.data(), output->data.data(), values.size() * sizeof(float));
  std::vector<double> sum(width);
  for (std::size_t i = 0; i < values.size(); ++i) sum[i % width] += values[i];
  const double norm = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
  std::vector<float> out(width);
  std::ranges::transform(sum, out.begin(),
                         [norm](double x) { return static_cast<float>(norm > 0 ? x / norm : 0); });
  return out;
}

/// The first so many values, again of length 1.
void shorten(std::vector<float>& vector, std::size_t dimensions) {
  vector.resize(dimensions);
  const double norm =
      std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
  for (auto& value : vector) value = static_cast<float>(norm > 0 ? value / norm : 0);
}

std::string answer(const EmbeddingRequest& request, const std::vector<std::vector<float>>& vectors,
                   std::size_t tokens) {
  std::string out = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (i > 0) out += ',';
    fmt::format_to(std::back_inserter(out), R"({{"object":"embedding","index":{},"embedding":)", i);
    if (request.base64)
      out.append("\"").append(base64_of(vectors[i])).append("\"}");
    else
      fmt::format_to(std::back_inserter(out), "[{}]}}", fmt::join(vectors[i], ","));
  }
  fmt::format_to(std::back_inserter(out),
                 R"(],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
                 json::serialize(json::string{request.model}), tokens, tokens);
  return out;
}

bool has_input(const model::ModelConfig& config, std::string_view name) {
  return std::ranges::any_of(config.inputs, [&](const auto& input) {
    return input.name == name && input.type == DataType::Int64;
  });
}

std::filesystem::path vocabulary_of(const model::Server& server, const std::string& model) {
  const auto& repository = server.options().repository;
  return repository ? *repository / model / "vocab.txt" : std::filesystem::path{};
}

}  // namespace

Result<EmbeddingRequest> EmbeddingRequest::read(std::string_view body, std::string& param) {
  boost::system::error_code error;
  const auto parsed = json::parse({body.data(), body.size()}, error);
  param.clear();
  if (error || !parsed.is_object()) return invalid("the body is not a JSON object");
  const auto& object = parsed.get_object();
  EmbeddingRequest out;
  param = "model";
  const auto* model = object.if_contains("model");
  if (model == nullptr || !model->is_string() || model->get_string().empty()) {
    return invalid("model is missing: the name of one in GET /v1/models");
  }
  out.model = model->get_string().c_str();
  param = "input";
  INFINIEDGE_TRY(read_input(out, object.if_contains("input")));
  INFINIEDGE_TRY(read_options(out, object, param));
  param.clear();
  return out;
}

Embeddings::Embeddings(model::Server& server, runtime::Workers& workers, runtime::Metrics& metrics)
    : server_(server),
      workers_(workers),
      tokens_(metrics.counter("infiniedge_openai_tokens_total", "Tokens that were asked and said.",
                              {{"call", "embeddings"}, {"kind", "prompt"}})) {}

bool Embeddings::serves(const model::Served& served) const {
  std::error_code ignored;
  return has_input(served.config(), "input_ids") && has_input(served.config(), "attention_mask") &&
         std::filesystem::exists(vocabulary_of(server_, served.config().name), ignored);
}

Task<Response> Embeddings::handle(Request request) {
  std::string param;
  auto reading = [body = request.body, &param] { return EmbeddingRequest::read(*body, param); };
  auto wanted = co_await runtime::run_on(workers_, reading);
  if (!wanted) co_return problem(wanted.error(), param);
  const auto served = server_.find(wanted->model);
  if (!served) co_return no_model(wanted->model);
  if (!serves(**served)) {
    co_return problem(Error{Code::Invalid,
                            fmt::format("'{}' makes no embeddings: that takes inputs input_ids and "
                                        "attention_mask, and vocab.txt in the model's folder",
                                        wanted->model)},
                      "model");
  }
  const auto words = co_await words_of(*served);
  if (!words) co_return problem(words.error(), "model");
  auto cutting = [&texts = wanted->texts, words = *words]() -> Result<std::vector<Tokens>> {
    std::vector<Tokens> out;
    for (const auto& text : texts) out.push_back(words->encode(text));
    return out;
  };
  auto cut = co_await runtime::run_on(workers_, cutting);
  if (!cut) co_return problem(cut.error());
  auto tokens = wanted->texts.empty() ? std::move(wanted->tokens) : std::move(*cut);
  std::size_t count = 0;
  for (const auto& each : tokens) count += each.size();
  auto vectors = co_await embed(*served, std::move(tokens));
  if (!vectors) co_return problem(vectors.error(), "input");
  if (wanted->dimensions > vectors->front().size()) {
    co_return problem(invalid(fmt::format("dimensions: '{}' has only {}", wanted->model,
                                          vectors->front().size())),
                      "dimensions");
  }
  if (wanted->dimensions > 0) {
    for (auto& vector : *vectors) shorten(vector, wanted->dimensions);
  }
  tokens_.add(count);
  co_return json_response(answer(*wanted, *vectors, count));
}

Task<Result<std::shared_ptr<const WordPiece>>> Embeddings::words_of(
    std::shared_ptr<model::Served> served) {
  auto& known = known_[served->config().name];
  if (known.words && known.served.lock() == served) co_return known.words;
  const auto file = vocabulary_of(server_, served->config().name);
  auto reading = [file] { return WordPiece::read(file); };
  auto words = co_await runtime::run_on(workers_, reading);
  if (words) known_[served->config().name] = {served, *words};
  co_return words;
}

/// One at a time and unpadded: what a text's vector is must not depend on its neighbours, which
/// it would with models that choose their 8-bit scales a batch.
Task<Result<std::vector<std::vector<float>>>> Embeddings::embed(
    std::shared_ptr<model::Served> served, std::vector<Tokens> tokens) {
  std::vector<Vector> out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].empty() || tokens[i].size() > kMostTokens) {
      co_return invalid(fmt::format("input[{}] has {} tokens; from 1 to {} are possible", i,
                                    tokens[i].size(), kMostTokens));
    }
    auto request = request_for(*served, std::move(tokens[i]));
    auto response = co_await server_.infer(std::move(request));
    if (!response) co_return response.error();
    auto vector = pooled(response->outputs);
    if (!vector) co_return vector.error();
    out.push_back(std::move(*vector));
  }
  co_return out;
}

}  // namespace infiniedge::api::openai
