// SPDX-License-Identifier: Apache-2.0
#include "store/testing/node.hpp"

#include "record/value.hpp"
#include "store/ieb.hpp"

namespace infiniedge::store::testing {
namespace {

constexpr std::int64_t kStart = 1'767'225'600'000'000;

void collect(const Chunk& chunk, StreamId id, std::vector<std::int64_t>& out) {
  for (const Run& run : chunk.runs) {
    if (run.stream != id) continue;
    const auto& values = chunk.rows.columns[0].ints();
    out.insert(out.end(), values.begin() + run.begin, values.begin() + run.begin + run.count);
  }
}

}  // namespace

SchemaPtr numbered_schema(const std::string& stream) {
  return std::make_shared<const Schema>(
      Schema{.stream = stream, .fields = {{.name = "n", .type = Type::Int}}});
}

Batch numbered_rows(const std::string& stream, std::uint64_t first, std::size_t count) {
  Batch batch = record::make_batch(numbered_schema(stream));
  batch.devices = {stream + "-1"};
  for (std::size_t i = 0; i < count; ++i) {
    batch.device.push_back(0);
    batch.ts.push_back(numbered_ts(first + i));
    batch.quality.push_back(Quality::Good);
    batch.columns[0].ints().push_back(static_cast<std::int64_t>(first + i));
  }
  return batch;
}

std::int64_t numbered_ts(std::uint64_t n) {
  return kStart + static_cast<std::int64_t>(n) * 1'000'000;
}

SimNode::SimNode() : disk_(std::make_shared<runtime::testing::SimDisk>()) {
  catalogue_ = std::make_shared<CatalogueHistory>(*disk_);
  options_.dir = "/store";
  options_.log_file_bytes = std::uint64_t{1} << 20;
}

SimNode::SimNode(std::unique_ptr<runtime::testing::SimDisk> disk, CatalogueState catalogue)
    : SimNode() {
  disk_ = std::move(disk);
  catalogue_ = std::make_shared<CatalogueHistory>(*disk_, std::move(catalogue));
}

SimNode::SimNode(SimNode& other) : SimNode() {
  disk_ = other.disk_;
  catalogue_ = other.catalogue_;
}

SimNode::~SimNode() { stop(); }

Result<void> SimNode::try_start() {
  INFINIEDGE_CHECK(store_ == nullptr);
  context_ = std::make_unique<boost::asio::io_context>();
  workers_ = std::make_unique<Workers>();
  Store::Environment environment{.executor = context_->get_executor(),
                                 .disk = disk_.get(),
                                 .clock = &clock_,
                                 .entropy = &entropy_,
                                 .metrics = &metrics_,
                                 .disk_worker = &workers_->disk,
                                 .compute = &workers_->compute};
  environment.catalogue = [this](const std::string&) -> Result<std::unique_ptr<Catalogue>> {
    return memory_catalogue(*catalogue_);
  };
  auto opened = run(Store::open(std::move(environment), options_));
  if (!opened) return std::move(opened).error();
  store_ = std::move(*opened);
  return {};
}

void SimNode::start() {
  auto started = try_start();
  if (!started) std::fprintf(stderr, "%s\n", started.error().describe().c_str());
  INFINIEDGE_CHECK(started.has_value());
}

void SimNode::stop() {
  if (store_ == nullptr) return;
  run(store_->close());
  store_.reset();
  workers_.reset();
  context_.reset();
}

void SimNode::kill() {
  if (store_ == nullptr) return;
  auto after = disk_->without_process(disk_->operations());
  auto state = catalogue_->now();
  // What the dying process still does happens to a disk that nobody looks at again.
  stop();
  disk_ = std::move(after);
  catalogue_ = std::make_shared<CatalogueHistory>(*disk_, std::move(state));
}

void SimNode::cut_power(const std::vector<runtime::testing::SimDisk::Fate>& fates) {
  kill();
  auto state = catalogue_->now();
  disk_ = disk_->crash(disk_->operations(), fates);
  catalogue_ = std::make_shared<CatalogueHistory>(*disk_, std::move(state));
}

void SimNode::lose_catalogue() { catalogue_ = std::make_shared<CatalogueHistory>(*disk_); }

void SimNode::advance(Micros by) {
  clock_.advance(by);
  settle();
}

void SimNode::settle() {
  context_->restart();
  context_->poll();
}

StreamId SimNode::declare(const std::string& stream) {
  auto id = run(store_->declare(numbered_schema(stream), {}));
  INFINIEDGE_CHECK(id.has_value());
  return *id;
}

Appended SimNode::append(const std::string& stream, std::uint64_t first, std::size_t count) {
  auto appended = run(store_->append(numbered_rows(stream, first, count)));
  if (!appended) std::fprintf(stderr, "%s\n", appended.error().describe().c_str());
  INFINIEDGE_CHECK(appended.has_value());
  return *appended;
}

std::vector<std::int64_t> SimNode::rows(const std::string& stream,
                                        const record::GatewayId& origin) {
  std::vector<std::int64_t> out;
  const auto info = store_->find(stream, origin);
  if (!info) return out;
  const SnapshotPtr snapshot = store_->snapshot();
  for (const TableView& table : snapshot->tables) {
    for (const SegmentPtr& segment : table.segments) {
      auto chunks = load_ieb(*disk_, options_.dir + "/" + segment->file, table.info);
      INFINIEDGE_CHECK(chunks.has_value());
      for (const ChunkPtr& chunk : *chunks) collect(*chunk, info->id, out);
    }
    for (const ChunkPtr& chunk : table.chunks) collect(*chunk, info->id, out);
  }
  return out;
}

}  // namespace infiniedge::store::testing
