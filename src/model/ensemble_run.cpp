// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "model/ensemble.hpp"
#include "model/server.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::model {
namespace {

using boost::asio::steady_timer;

/// One run of an ensemble; lives in the coroutine that waits for it.
struct Run {
  Run(Server& owner, Clock& time, const ModelConfig& ensemble, const EnsembleGraph& plan,
      EnsembleCall terms, const boost::asio::any_io_executor& executor)
      : server(owner),
        clock(time),
        config(ensemble),
        graph(plan),
        call(std::move(terms)),
        tensors(graph.tensors.size()),
        waiting(graph.steps.size()),
        unfinished(graph.steps.size()),
        over(executor, steady_timer::time_point::max()),
        scope(executor) {}

  Server& server;
  Clock& clock;
  const ModelConfig& config;
  const EnsembleGraph& graph;
  const EnsembleCall call;
  std::vector<std::optional<Tensor>> tensors;
  std::vector<std::size_t> waiting;  ///< Inputs that a step still waits for.
  std::size_t unfinished;
  std::optional<Error> failed{};
  steady_timer over;  ///< Cancelled: look at the two above.
  runtime::Scope scope;

  void fail(Error why) {
    if (!failed) failed.emplace(std::move(why));
    over.cancel();
  }
};

/// The request of a step. Its tensors are copies that share their bytes.
Result<InferRequest> request_of(const Run& run, std::size_t step) {
  const auto& declared = run.config.steps[step];
  InferRequest out{.model = declared.model, .inputs = {}};
  if (declared.version >= 0) out.version = std::to_string(declared.version);
  out.priority = run.call.priority;
  out.sequence = run.call.sequence;
  out.cancel = run.call.cancel;
  if (run.call.deadline) {
    out.timeout = *run.call.deadline - run.clock.now();
    if (*out.timeout <= Micros{0}) {
      return Error{Code::Timeout, fmt::format("Request timeout expired before '{}', a step of "
                                              "ensemble '{}', could run",
                                              declared.model, run.config.name)};
    }
  }
  for (const auto& edge : run.graph.steps[step].inputs) {
    out.inputs.push_back(*run.tensors[edge.tensor]);
    out.inputs.back().name = edge.name;
  }
  for (const auto& edge : run.graph.steps[step].outputs) out.outputs.push_back(edge.name);
  return out;
}

Task<void> run_step(Run& run, std::size_t step);

/// A tensor is there: starts the steps that waited for nothing else.
void arrive(Run& run, std::size_t tensor, Tensor value) {
  value.name = run.graph.tensors[tensor];
  run.tensors[tensor] = std::move(value);
  for (std::size_t i = 0; i < run.graph.steps.size(); ++i) {
    for (const auto& edge : run.graph.steps[i].inputs) {
      if (edge.tensor == tensor && --run.waiting[i] == 0) run.scope.spawn(run_step(run, i));
    }
  }
}

Task<void> run_step(Run& run, std::size_t step) {
  auto request = request_of(run, step);
  if (!request) {
    run.fail(std::move(request).error());
    co_return;
  }
  auto response = co_await run.server.infer(std::move(*request));
  if (!response) {
    const auto& model = run.config.steps[step].model;
    run.fail({response.error().code(),
              fmt::format("step '{}' of ensemble '{}' failed: {}", model, run.config.name,
                          response.error().message()),
              response.error()});
    co_return;
  }
  const auto& edges = run.graph.steps[step].outputs;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    arrive(run, edges[i].tensor, std::move(response->outputs[i]));
  }
  if (--run.unfinished == 0) run.over.cancel();
}

/// Waits for the last step, the first failure, or the caller's going.
Task<void> wait_for_end(Run& run) {
  while (run.unfinished > 0 && !run.failed) {
    co_await run.over.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) {
      run.fail({Code::Cancelled, "the caller gave the inference up"});
    }
  }
}

}  // namespace

Task<Result<std::vector<Tensor>>> run_ensemble(Server& server, Clock& clock,
                                               std::shared_ptr<const ModelConfig> config,
                                               std::shared_ptr<const EnsembleGraph> graph,
                                               std::vector<Tensor> inputs, EnsembleCall call) {
  // Also a caller that has gone waits until its steps have ended: they refer to this frame.
  const bool before = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  Run run(server, clock, *config, *graph, std::move(call),
          co_await boost::asio::this_coro::executor);
  for (std::size_t i = 0; i < run.waiting.size(); ++i) {
    run.waiting[i] = graph->steps[i].inputs.size();
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) arrive(run, i, std::move(inputs[i]));
  co_await wait_for_end(run);
  co_await run.scope.close();
  co_await boost::asio::this_coro::throw_if_cancelled(before);
  if (run.failed) co_return std::move(*run.failed);
  std::vector<Tensor> outputs;
  for (const auto tensor : graph->outputs) outputs.push_back(*run.tensors[tensor]);
  co_return outputs;
}

}  // namespace infiniedge::model
