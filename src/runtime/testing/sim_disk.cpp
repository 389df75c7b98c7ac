// SPDX-License-Identifier: Apache-2.0
#include "runtime/testing/sim_disk.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"

namespace infiniedge::runtime::testing {

/// A handle: it stays with its inode whatever happens to the name.
class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::size_t inode, bool writable)
      : disk_(disk), inode_(inode), writable_(writable) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    const std::scoped_lock lock(disk_.mutex_);
    const std::string& bytes = disk_.now_.contents[inode_];
    if (offset >= bytes.size()) return std::size_t{0};
    const std::size_t n = std::min<std::size_t>(out.size(), bytes.size() - offset);
    std::memcpy(out.data(), bytes.data() + offset, n);
    return n;
  }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const std::scoped_lock lock(disk_.mutex_);
    INFINIEDGE_TRY(may_write());
    return disk_.write(inode_, offset, bytes);
  }
  Result<void> sync_data() override {
    const std::scoped_lock lock(disk_.mutex_);
    return disk_.sync(inode_);
  }
  Result<void> allocate(std::uint64_t size) override {
    const std::scoped_lock lock(disk_.mutex_);
    INFINIEDGE_TRY(may_write());
    const std::uint64_t from = disk_.now_.contents[inode_].size();
    if (from >= size) return {};
    const std::vector<std::byte> zeros(size - from);
    return disk_.write(inode_, from, zeros);
  }
  Result<void> truncate(std::uint64_t size) override {
    const std::scoped_lock lock(disk_.mutex_);
    INFINIEDGE_TRY(may_write());
    return disk_.truncate(inode_, size);
  }
  Result<std::uint64_t> size() override {
    const std::scoped_lock lock(disk_.mutex_);
    return std::uint64_t{disk_.now_.contents[inode_].size()};
  }

 private:
  Result<void> may_write() const {
    if (writable_) return {};
    return Error{Code::Denied, "the file was opened for reading only"};
  }

  SimDisk& disk_;
  std::size_t inode_;
  bool writable_;
};

/// What the medium holds of a file, whatever the page cache claims.
class SimDirectFile final : public File {
 public:
  explicit SimDirectFile(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t n = std::min<std::size_t>(out.size(), bytes_.size() - offset);
    std::memcpy(out.data(), bytes_.data() + offset, n);
    return n;
  }
  Result<void> write(std::uint64_t, std::span<const std::byte>) override { return read_only(); }
  Result<void> sync_data() override { return read_only(); }
  Result<void> allocate(std::uint64_t) override { return read_only(); }
  Result<void> truncate(std::uint64_t) override { return read_only(); }
  Result<std::uint64_t> size() override { return std::uint64_t{bytes_.size()}; }

 private:
  static Error read_only() { return {Code::Denied, "the file was opened for reading only"}; }
  std::string bytes_;
};

SimDisk::SimDisk() : directories_{""} {}

std::string SimDisk::directory(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::optional<Error> SimDisk::injected(std::string_view what) {
  ++fallible_;
  if (fail_at_ == 0 || fallible_ < fail_at_ || (fallible_ > fail_at_ && !lasting_)) return {};
  return Error{fail_code_, "injected: cannot " + std::string(what)};
}

Result<SimDisk::Inode> SimDisk::find(const std::string& path) const {
  const auto found = now_.names.find(path);
  if (found == now_.names.end()) return Error{Code::NotFound, "no such file: " + path};
  return found->second;
}

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, Mode mode) {
  const std::scoped_lock lock(mutex_);
  if (mode != Mode::Create) {
    auto inode = find(path);
    if (!inode) return std::move(inode).error();
    if (mode == Mode::ReadDirect) return std::make_unique<SimDirectFile>(on_medium(*inode));
    return std::make_unique<SimFile>(*this, *inode, mode == Mode::Write);
  }
  if (auto error = injected("create " + path)) return std::move(*error);
  if (now_.names.contains(path)) return Error{Code::Exists, path + " exists"};
  if (!directories_.contains(directory(path))) {
    return Error{Code::NotFound, "no such directory: " + directory(path)};
  }
  const Inode inode = now_.contents.size();
  const Operation create = Name{"", path, inode};
  apply(now_, create);
  operations_.push_back(create);
  return std::make_unique<SimFile>(*this, inode, true);
}

Result<void> SimDisk::rename(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(mutex_);
  if (auto error = injected("rename " + from)) return std::move(*error);
  auto inode = find(from);
  if (!inode) return std::move(inode).error();
  const Operation name = Name{from, to, *inode};
  apply(now_, name);
  operations_.push_back(name);
  return {};
}

Result<void> SimDisk::unlink(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (auto error = injected("delete " + path)) return std::move(*error);
  auto inode = find(path);
  if (!inode) return std::move(inode).error();
  const Operation name = Name{path, "", std::nullopt};
  apply(now_, name);
  operations_.push_back(name);
  return {};
}

Result<void> SimDisk::make_dir(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  for (std::string part = path; !part.empty(); part = directory(part)) directories_.insert(part);
  return {};
}

Result<std::vector<std::string>> SimDisk::list(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (!directories_.contains(path)) return Error{Code::NotFound, "no such directory: " + path};
  std::set<std::string> names;
  for (const auto& [name, inode] : now_.names) {
    if (directory(name) == path) names.insert(name.substr(path.size() + 1));
  }
  for (const std::string& name : directories_) {
    if (!name.empty() && name != path && directory(name) == path) {
      names.insert(name.substr(path.size() + 1));
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<void> SimDisk::sync_dir(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (auto error = injected("sync " + path)) return std::move(*error);
  operations_.push_back(SyncDir{path});
  return {};
}

Result<Disk::Space> SimDisk::space(const std::string&) {
  const std::scoped_lock lock(mutex_);
  return space_;
}

Result<std::shared_ptr<const void>> SimDisk::lock(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (!locked_.insert(path).second) return Error{Code::Exists, path + " is held by process 1"};
  return std::shared_ptr<const void>(this, [this, path](const void*) {
    const std::scoped_lock relock(mutex_);
    locked_.erase(path);
  });
}

Result<void> SimDisk::write(Inode inode, std::uint64_t offset, std::span<const std::byte> bytes) {
  Write write{inode, offset,
              std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
  auto error = injected("write");
  if (error) write.bytes.resize(write.bytes.size() / 2);
  apply(now_, write, Fate{Fate::Kind::Kept});
  operations_.push_back(std::move(write));
  if (error) return std::move(*error);
  return {};
}

Result<void> SimDisk::sync(Inode inode) {
  if (auto error = injected("sync")) {
    const std::vector<bool> safe = durable(operations_.size());
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      auto* write = std::get_if<Write>(&operations_[i]);
      if (write != nullptr && write->inode == inode && !safe[i]) write->lost = true;
    }
    return std::move(*error);
  }
  operations_.push_back(Sync{inode});
  return {};
}

Result<void> SimDisk::truncate(Inode inode, std::uint64_t size) {
  if (auto error = injected("truncate")) return std::move(*error);
  const Operation operation = Truncate{inode, size};
  apply(now_, operation);
  operations_.push_back(operation);
  return {};
}

void SimDisk::apply(Image& image, const Write& write, const Fate& fate) {
  if (fate.kind == Fate::Kind::Dropped) return;
  std::string& content = image.contents[write.inode];
  const std::size_t end = write.offset + write.bytes.size();
  if (content.size() < end) content.resize(end, '\0');
  for (std::size_t i = 0; i < write.bytes.size(); ++i) {
    const bool reached =
        fate.kind == Fate::Kind::Kept || (fate.kind == Fate::Kind::Head && i < fate.cut) ||
        (fate.kind == Fate::Kind::Tail && i >= fate.cut) ||
        (fate.kind == Fate::Kind::Sectors && (fate.pattern >> (i / fate.cut % 64) & 1) != 0);
    if (reached) {
      content[write.offset + i] = write.bytes[i];
    } else if (fate.zero) {
      content[write.offset + i] = '\0';
    }
  }
}

void SimDisk::apply(Image& image, const Operation& operation) {
  if (const auto* write = std::get_if<Write>(&operation)) {
    apply(image, *write, Fate{Fate::Kind::Kept});
  } else if (const auto* truncate = std::get_if<Truncate>(&operation)) {
    image.contents[truncate->inode].resize(truncate->size, '\0');
  } else if (const auto* name = std::get_if<Name>(&operation)) {
    if (name->inode && *name->inode >= image.contents.size()) {
      image.contents.resize(*name->inode + 1);
    }
    if (!name->from.empty()) image.names.erase(name->from);
    if (name->inode) image.names[name->to] = *name->inode;
  }
}

/// The file without the writes whose sync failed: they never left the cache.
std::string SimDisk::on_medium(Inode inode) const {
  const auto lost = [inode](const Operation& operation) {
    const auto* write = std::get_if<Write>(&operation);
    return write != nullptr && write->lost && write->inode == inode;
  };
  if (std::none_of(operations_.begin(), operations_.end(), lost)) return now_.contents[inode];
  Image image = start_;
  for (const Operation& operation : operations_) {
    if (lost(operation)) {
      // The length is metadata, and that did reach it.
      apply(image, std::get<Write>(operation), Fate{Fate::Kind::Head, 0});
    } else {
      apply(image, operation);
    }
  }
  return image.contents[inode];
}

std::vector<bool> SimDisk::durable(std::size_t at) const {
  std::vector<bool> safe(at, true);
  std::set<Inode> synced;
  std::set<std::string> synced_dirs;
  // Backwards: a write is safe if a sync of its file follows it.
  for (std::size_t i = at; i-- > 0;) {
    if (const auto* write = std::get_if<Write>(&operations_[i])) {
      safe[i] = !write->lost && synced.contains(write->inode);
    } else if (const auto* name = std::get_if<Name>(&operations_[i])) {
      safe[i] = (!name->to.empty() && synced_dirs.contains(directory(name->to))) ||
                (!name->from.empty() && synced_dirs.contains(directory(name->from)));
    } else if (const auto* sync = std::get_if<Sync>(&operations_[i])) {
      synced.insert(sync->inode);
    } else if (const auto* sync_dir = std::get_if<SyncDir>(&operations_[i])) {
      synced_dirs.insert(sync_dir->path);
    }
    // A truncate is journalled with the name space; it is modelled as durable at once.
  }
  return safe;
}

std::vector<std::size_t> SimDisk::undurable(std::size_t at) const {
  const std::scoped_lock lock(mutex_);
  INFINIEDGE_CHECK(at <= operations_.size());
  const std::vector<bool> safe = durable(at);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < at; ++i) {
    if (safe[i]) continue;
    const auto* write = std::get_if<Write>(&operations_[i]);
    out.push_back(write != nullptr ? write->bytes.size() : 0);
  }
  return out;
}

std::unique_ptr<SimDisk> SimDisk::crash(std::size_t at, const std::vector<Fate>& fates) const {
  const std::scoped_lock lock(mutex_);
  const std::vector<bool> safe = durable(at);
  auto after = std::make_unique<SimDisk>();
  Image image = start_;
  std::size_t next = 0;
  for (std::size_t i = 0; i < at; ++i) {
    if (safe[i]) {
      apply(image, operations_[i]);
      continue;
    }
    const Fate fate = next < fates.size() ? fates[next] : Fate{};
    ++next;
    if (const auto* write = std::get_if<Write>(&operations_[i])) {
      apply(image, *write, fate);
    } else if (fate.kind != Fate::Kind::Dropped) {
      apply(image, operations_[i]);
    } else if (const auto* name = std::get_if<Name>(&operations_[i]);
               name->inode && *name->inode >= image.contents.size()) {
      image.contents.resize(*name->inode + 1);  // Nameless, but later writes still refer to it.
    }
  }
  after->start_ = image;
  after->now_ = std::move(image);
  after->directories_ = directories_;
  after->space_ = space_;
  return after;
}

std::unique_ptr<SimDisk> SimDisk::without_process(std::size_t at) const {
  const std::scoped_lock lock(mutex_);
  auto after = std::make_unique<SimDisk>();
  after->start_ = after->now_ = start_;
  after->operations_.assign(operations_.begin(),
                            operations_.begin() + static_cast<std::ptrdiff_t>(at));
  for (const Operation& operation : after->operations_) apply(after->now_, operation);
  after->directories_ = directories_;
  after->space_ = space_;
  return after;
}

std::size_t SimDisk::operations() const {
  const std::scoped_lock lock(mutex_);
  return operations_.size();
}

void SimDisk::fail_at(std::size_t n, Code code, bool lasting) {
  const std::scoped_lock lock(mutex_);
  fail_at_ = fallible_ + n;
  fail_code_ = code;
  lasting_ = lasting;
}

void SimDisk::heal() {
  const std::scoped_lock lock(mutex_);
  fail_at_ = 0;
}

std::size_t SimDisk::fallible() const {
  const std::scoped_lock lock(mutex_);
  return fallible_;
}

void SimDisk::set_space(Space space) {
  const std::scoped_lock lock(mutex_);
  space_ = space;
}

std::optional<std::string> SimDisk::bytes(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  auto inode = find(path);
  if (!inode) return std::nullopt;
  return now_.contents[*inode];
}

void SimDisk::flip(const std::string& path, std::uint64_t bit) {
  const std::scoped_lock lock(mutex_);
  const auto inode = find(path);
  INFINIEDGE_CHECK(inode && bit / 8 < now_.contents[*inode].size());
  char& byte = now_.contents[*inode][bit / 8];
  byte = static_cast<char>(byte ^ 1 << (bit % 8));
  start_ = now_;
  operations_.clear();
}

std::vector<std::string> SimDisk::files() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, inode] : now_.names) names.push_back(name);
  return names;
}

}  // namespace infiniedge::runtime::testing
