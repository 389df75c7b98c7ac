// SPDX-License-Identifier: Apache-2.0
#include "model/watch.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <set>

#include "runtime/log.hpp"

namespace infiniedge::model {
namespace {

namespace fs = std::filesystem;

constexpr int kDepth = 3;  // <model>/<version>/<file>, and one for runtimes with folders.
constexpr std::size_t kMaxFiles = 10'000;

std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> out;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error), end;
  while (!error && it != end && out.size() < kMaxFiles) {
    if (it.depth() >= kDepth) it.disable_recursion_pending();
    struct stat info{};
    if (::stat(it->path().c_str(), &info) == 0) {
      out[it->path().lexically_relative(folder).string()] =
          fmt::format("{} {} {}.{}", info.st_ino, S_ISDIR(info.st_mode) ? 0 : info.st_size,
                      info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    }
    it.increment(error);
  }
  return out;
}

}  // namespace

RepositoryWatch::RepositoryWatch(Server& server, Clock& clock, runtime::Workers& workers,
                                 boost::asio::any_io_executor executor,
                                 std::unique_ptr<ChangeNotice> notice, Times times)
    : server_(server),
      clock_(clock),
      workers_(workers),
      root_(server.options().repository.value_or(fs::path{})),
      notice_(std::move(notice)),
      times_(times),
      scope_(std::move(executor)) {}

Task<void> RepositoryWatch::remember() {
  auto found = co_await scan();
  if (found) known_ = std::move(*found);
}

Task<Result<RepositoryWatch::Snapshot>> RepositoryWatch::scan() {
  Result<void> looked;
  auto job = [this, &looked]() -> Result<Snapshot> {
    if (notice_) looked = notice_->look();
    Snapshot out;
    for (const auto& name : Repository(root_).names()) out[name] = contents_of(root_ / name);
    return out;
  };
  auto found = co_await runtime::run_on(workers_, job);
  if (!looked) give_up_notices(looked.error());
  co_return found;
}

void RepositoryWatch::give_up_notices(const Error& error) {
  runtime::log(runtime::Level::Warning, "model",
               "changes of the model repository are found by looking every 15 s",
               {{"reason", error.message()}});
  notice_.reset();
}

Task<void> RepositoryWatch::run() {
  while (!scope_.cancelled()) {
    co_await wait_for_change();
    if (scope_.cancelled()) co_return;
    co_await compare();
  }
}

/// Until something has changed and then nothing for a while, or it is time to look anyway.
Task<void> RepositoryWatch::wait_for_change() {
  if (!co_await changed_within(times_.poll)) co_return;
  const auto give_up = clock_.now() + times_.longest;
  while (clock_.now() < give_up && co_await changed_within(times_.quiet)) {
  }
}

Task<bool> RepositoryWatch::changed_within(Micros time) {
  using namespace boost::asio::experimental::awaitable_operators;  // NOLINT: for one ||
  if (!notice_) {
    (void)co_await clock_.sleep_for(time);
    co_return false;
  }
  const auto first = co_await (notice_->wait() || clock_.sleep_for(time));
  if (first.index() == 1) co_return false;
  if (std::get<0>(first)) co_return true;
  const auto& error = std::get<0>(first).error();
  if (error.code() != Code::Cancelled) give_up_notices(error);
  co_return false;
}

Task<void> RepositoryWatch::compare() {
  auto found = co_await scan();
  if (!found) co_return;
  const auto before = std::exchange(known_, std::move(*found));
  std::set<std::string> changed;
  for (const auto& [name, contents] : known_) {
    const auto old = before.find(name);
    if (old == before.end() || old->second != contents) changed.insert(name);
  }
  for (const auto& [name, contents] : before) {
    if (!known_.contains(name) && server_.follows_disk(name)) co_await server_.remove(name);
  }
  for (const auto& name : changed) {
    if (!server_.follows_disk(name)) continue;
    runtime::log(runtime::Level::Info, "model", "the model's files have changed",
                 {{"resource", name}});
    (void)co_await server_.load(name);  // A failure stands in the index and the log.
  }
}

}  // namespace infiniedge::model
