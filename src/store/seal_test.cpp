// SPDX-License-Identifier: Apache-2.0
#include "store/seal.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "store/testing/g1.hpp"
#include "store/testing/shelf.hpp"

namespace infiniedge::store {
namespace {

namespace fs = std::filesystem;
using testing::G1;
using testing::Shelf;

constexpr char kLibrary[] = INFINIEDGE_DEPS_DIR "/duckdb/libduckdb.so";

SchemaPtr everything() {
  auto schema = std::make_shared<Schema>();
  schema->stream = "everything";
  schema->fields = {
      {.id = 16, .name = "flag", .type = Type::Bool},
      {.id = 17, .name = "count", .type = Type::Int},
      {.id = 18,
       .name = "narrow",
       .type = Type::Decimal,
       .unit = "Cel",
       .resolution = Resolution{5, 2},
       .min = -100,
       .max = 100},
      {.id = 19, .name = "wide", .type = Type::Decimal, .resolution = Resolution{1, 4}},
      {.id = 20, .name = "real", .type = Type::Float},
      {.id = 21, .name = "order", .type = Type::String},
      {.id = 22, .name = "raw", .type = Type::Bytes},
  };
  return schema;
}

Batch random_rows(const SchemaPtr& schema, std::size_t rows, unsigned seed = 7) {
  std::mt19937_64 random(seed);
  Batch batch = record::make_batch(schema);
  batch.devices = {"left", "a device with a long name", "ü"};
  for (std::size_t i = 0; i < rows; ++i) {
    batch.device.push_back(static_cast<std::uint32_t>(random() % 3));
    batch.ts.push_back(G1::kStart + static_cast<std::int64_t>(random() % 1'000'000'000));
    batch.quality.push_back(static_cast<Quality>(random() % 5));
    batch.seq.push_back(i + 1);
    for (std::size_t c = 0; c < schema->fields.size(); ++c) {
      Column& column = batch.columns[c];
      if (random() % 7 == 0) {
        record::append_null(column);
        continue;
      }
      switch (schema->fields[c].type) {
        case Type::Bool:
          column.ints().push_back(static_cast<std::int64_t>(random() & 1));
          break;
        case Type::Int:
          column.ints().push_back(static_cast<std::int64_t>(random()));
          break;
        case Type::Decimal:
          column.ints().push_back(static_cast<std::int64_t>(random() % 20'000) - 10'000);
          break;
        case Type::Float:
          column.floats().push_back(static_cast<double>(random() % 1000) / 7);
          break;
        default:
          column.binary().push_back(std::string(random() % 40, static_cast<char>('a' + i % 26)));
      }
      if (!column.nulls.empty()) column.nulls.push_back(false);
    }
  }
  return batch;
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer;
  while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), n);
  pclose(pipe);
  return out;
}

class SealTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kLibrary)) GTEST_SKIP() << "DuckDB is absent; run scripts/setup";
    dir_ = fs::temp_directory_path() / ("seal_test." + std::to_string(getpid()));
    duckdb_ = std::make_unique<DuckDb>(DuckDatabase::Options{.dir = dir_.string()}, kLibrary);
    sealer_ = std::make_unique<ParquetSealer>(*duckdb_);
    reader_ = std::make_unique<ParquetReader>(*duckdb_);
    shelf_ = std::make_unique<Shelf>(dir_.string());
  }
  void TearDown() override { fs::remove_all(dir_); }

  Result<Batch> read(const Segment& segment, StreamId stream, std::uint64_t from, std::uint64_t to,
                     std::size_t max_rows = 1'000'000) {
    return reader_->read(segment, shelf_->path(segment), shelf_->table_of(stream).info,
                         shelf_->edit().streams[stream - 1], 1, from, to, max_rows);
  }

  fs::path dir_;
  std::unique_ptr<DuckDb> duckdb_;
  std::unique_ptr<ParquetSealer> sealer_;
  std::unique_ptr<ParquetReader> reader_;
  std::unique_ptr<Shelf> shelf_;
};

TEST_F(SealTest, EveryTypeComesBackAsItWas) {
  const auto stream = shelf_->add_stream(everything());
  const Batch rows = random_rows(everything(), 20'000);
  const auto segment = shelf_->seal(*sealer_, stream, rows);
  ASSERT_TRUE(segment) << segment.error().describe();
  const auto back = read(**segment, stream, 1, 20'000);
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(back->rows(), rows.rows());
  EXPECT_TRUE(record::check(*back));
  EXPECT_TRUE(record::same_rows(*back, rows));
}

TEST_F(SealTest, PiecesOfTheSequenceAreReadInOrder) {
  const auto stream = shelf_->add_stream(G1::schema());
  const Batch rows = G1().next(G1::schema(), 150'000);
  const auto segment = shelf_->seal(*sealer_, stream, rows);
  ASSERT_TRUE(segment) << segment.error().describe();
  std::uint64_t next = 1;
  while (next <= 150'000) {
    const auto piece = read(**segment, stream, next, UINT64_MAX, 7'000);
    ASSERT_TRUE(piece) << piece.error().describe();
    ASSERT_GT(piece->rows(), 0U);
    ASSERT_TRUE(record::same_rows(*piece, record::slice(rows, next - 1, piece->rows())));
    next += piece->rows();
  }
  EXPECT_EQ(read(**segment, stream, 150'001, UINT64_MAX)->rows(), 0U);
}

TEST_F(SealTest, G1TakesAtMostFiveBytesARow) {
  const auto stream = shelf_->add_stream(G1::schema());
  const auto segment = shelf_->seal(*sealer_, stream, G1().next(G1::schema(), 1'000'000));
  ASSERT_TRUE(segment) << segment.error().describe();
  const double bytes = static_cast<double>((*segment)->bytes) / 1'000'000;
  RecordProperty("bytes_per_row", std::to_string(bytes));
  std::printf("G1: %.3f bytes a row\n", bytes);
  EXPECT_LE(bytes, 5.0);
}

TEST_F(SealTest, AnIndependentReaderSeesTheSameRowsSortedWithIdsAndKeys) {
  const std::string python = INFINIEDGE_DEPS_DIR "/peers/bin/python";
  if (!fs::exists(python)) GTEST_SKIP() << "pyarrow is absent; run scripts/setup --test";
  const auto stream = shelf_->add_stream(everything());
  const Batch rows = random_rows(everything(), 5'000);
  const auto segment = shelf_->seal(*sealer_, stream, rows);
  ASSERT_TRUE(segment) << segment.error().describe();
  std::int64_t wide = 0, nulls = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    if (rows.columns[3].is_null(i))
      ++nulls;
    else
      wide += rows.columns[3].ints()[i];
  }
  std::ofstream(dir_ / "read.py") << R"(
import sys, pyarrow.parquet as pq
f = pq.ParquetFile(sys.argv[1])
t = f.read()
m = f.metadata.metadata
rows = list(zip(t['_stream'].to_pylist(), t['device'].to_pylist(), t['ts'].to_pylist(), t['_seq'].to_pylist()))
ids = [int(t.schema.field(i).metadata[b'PARQUET:field_id']) for i in range(len(t.schema))]
print(t.num_rows, sorted(t['_seq'].to_pylist()) == list(range(1, t.num_rows + 1)),
      rows == sorted(rows, key=lambda r: (r[0], r[1].encode(), r[2], r[3])), *ids,
      str(t.schema.field('ts').type), str(t.schema.field('narrow').type), str(t.schema.field('wide').type),
      t['wide'].null_count, sum(int(x.scaleb(4)) for x in t['wide'].to_pylist() if x is not None),
      m[b'infiniedge.ranges'].decode(), m[b'infiniedge.units'].decode(), sep='|')
)";
  const std::string out = output_of(python + " " + (dir_ / "read.py").string() + " " +
                                    shelf_->path(**segment) + " 2>&1");
  EXPECT_EQ(out,
            "5000|True|True|1|2|3|4|5|6|16|17|18|19|20|21|22|timestamp[us]|decimal128(9, 2)|"
            "decimal128(18, 4)|" +
                std::to_string(nulls) + "|" + std::to_string(wide) +
                "|everything:1-5000|narrow=Cel\n");
}

TEST_F(SealTest, TwoStreamsOfOneTableStayApart) {
  const auto first = shelf_->add_stream(G1::schema("one"));
  const auto second = shelf_->add_stream(G1::schema("two"), 1);
  const Batch one = G1(1).next(G1::schema("one"), 9'000), two = G1(2).next(G1::schema("two"), 500);
  TableView& table = shelf_->table_of(first);
  SealJob job{.epoch = 1, .table = table.info, .streams = shelf_->edit().streams};
  job.ranges = {{first, 1, 1, 9'000, 9'000}, {second, 1, 1, 500, 500}};
  job.chunks = testing::make_chunks(one, first);
  for (auto& chunk : testing::make_chunks(two, second)) job.chunks.push_back(chunk);
  const std::string path = dir_.string() + "/seg/.tmp/x.parquet";
  const auto written = sealer_->write(job, path);
  ASSERT_TRUE(written) << written.error().describe();
  fs::rename(path, dir_ / "seg/x.parquet");
  const Segment segment{.id = "x", .table = 1, .file = "seg/x.parquet", .ranges = job.ranges};
  EXPECT_TRUE(record::same_rows(*read(segment, first, 1, 9'000), one));
  EXPECT_TRUE(record::same_rows(*read(segment, second, 1, 500), two));
}

TEST_F(SealTest, WithoutTheLibraryTheErrorSaysHowToInstallIt) {
  DuckDb nothing(DuckDatabase::Options{.dir = dir_.string()}, "/nonexistent/libduckdb.so");
  const auto database = nothing.database();
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code(), Code::Unavailable);
  EXPECT_NE(database.error().message().find("scripts/setup"), std::string::npos);
}

TEST_F(SealTest, AFileOutsideTheStoreIsRefused) {
  const auto stream = shelf_->add_stream(G1::schema());
  SealJob job{
      .epoch = 1, .table = shelf_->table_of(stream).info, .streams = shelf_->edit().streams};
  job.chunks = testing::make_chunks(G1().next(G1::schema(), 10), stream);
  const auto outside = fs::temp_directory_path() / ("outside." + std::to_string(getpid()));
  EXPECT_FALSE(sealer_->write(job, outside.string()));
  EXPECT_FALSE(fs::exists(outside));
}

}  // namespace
}  // namespace infiniedge::store
