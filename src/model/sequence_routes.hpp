// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "infiniedge/time.hpp"
#include "model/request.hpp"

namespace infiniedge::model {

class Served;

/// Where sequences go that began on a version which has left: they finish there, or learn why
/// they cannot.
///
/// Thread: the server's shard.
/// Owner:  Server.
class SequenceRoutes {
 public:
  enum class Why { Replaced, Unloaded };

  /// A version leaves. After a swap its sequences may finish on it, which it waits for in
  /// drain(); after an unload they end now.
  void leave(const std::shared_ptr<Served>& old, Why why);
  /// Ends the sequences of a version that has waited long enough for them.
  void end(const std::shared_ptr<Served>& old, Why why);
  /// Ends all that are left: the server closes.
  void end_all();

  /// The version that the request's sequence began on, else `current`. Errors: those of `current`,
  /// or Unavailable, naming the swap or the unload that ended the sequence.
  Result<std::shared_ptr<Served>> find(const std::string& model, const std::string& version,
                                       const SequenceId& sequence,
                                       Result<std::shared_ptr<Served>> current);

 private:
  using Name = std::pair<std::string, SequenceId::Value>;

  std::vector<std::weak_ptr<Served>> leaving_;
  std::map<Name, std::string> ended_;  ///< Why; until the sequence starts again.
  std::deque<Name> oldest_;            ///< Of `ended_`, which is bounded.
};

}  // namespace infiniedge::model
