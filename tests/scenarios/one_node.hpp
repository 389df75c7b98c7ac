// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/demo/process.hpp"
#include "runtime/http/http.hpp"

namespace infiniedge::tests {

/// One node as a process, with a folder, a data directory and a socket of its own; commands and
/// requests go to it as a person's would.
class OneNode : public testing::Test {
 protected:
  OneNode();
  ~OneNode() override;

  std::string path(const std::string& name) const { return dir_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const;
  std::string read(const std::string& name) const;

  /// Starts `infiniedge up` with these arguments more; returns once it serves. `through`: a
  /// command that runs it, as `unshare …`.
  void up(const std::vector<std::string>& more, const std::vector<std::string>& through = {});
  void kill();
  /// Runs a command against the node; returns its exit code, `out_` is what it printed.
  int command(const std::string& arguments);
  /// One request over the node's socket.
  runtime::http::Response request(const std::string& method, const std::string& target,
                                  const std::string& body = {});
  /// First cell of an answer; empty if there is none.
  std::string ask(const std::string& sql);
  /// Text of a metric with these labels ("" for none): its value, or empty.
  std::string metric(const std::string& series);
  std::string log() const { return read("log"); }

  std::string dir_, out_;
  std::optional<app::demo::Process> node_;
};

/// Waits until it holds, at most `seconds`.
bool eventually(const std::function<bool()>& holds, int seconds = 20);

}  // namespace infiniedge::tests
