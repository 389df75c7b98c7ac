// SPDX-License-Identifier: Apache-2.0
#include "oracle.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "device/testing/process.hpp"

namespace infiniedge::tests {
namespace {

namespace json = boost::json;

const std::string kSource = INFINIEDGE_SOURCE_DIR;
const std::string kPython = std::string{INFINIEDGE_DEPS_DIR} + "/peers/bin/python";

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Cell cell_of(const json::value& value) {
  if (value.is_bool()) return std::int64_t{value.as_bool()};
  if (value.is_int64()) return value.as_int64();
  if (value.is_double()) return value.as_double();
  EXPECT_TRUE(value.is_null()) << json::serialize(value) << " is not a number";
  return {};
}

Table table_of(const json::object& answer) {
  Table out;
  for (const auto& name : answer.at("columns").as_array()) {
    out.columns.emplace_back(name.as_string());
  }
  for (const auto& row : answer.at("rows").as_array()) {
    out.rows.emplace_back();
    for (const auto& value : row.as_array()) out.rows.back().push_back(cell_of(value));
  }
  return out;
}

}  // namespace

std::string recording(const std::string& name) { return kSource + "/../shared/data/" + name; }

std::string not_here(const std::string& recording_name) {
  const auto file = recording(recording_name);
  if (!std::filesystem::exists(file)) return file + " is absent";
  if (!std::filesystem::exists(kPython)) return kPython + " is absent: run scripts/setup --test";
  return {};
}

std::vector<Table> ask_duckdb(const std::vector<std::string>& setup,
                              const std::vector<std::string>& queries) {
  const device::testing::TempDir dir;
  const auto request = dir.write(
      "request.json",
      json::serialize(json::object{{"setup", json::array(setup.begin(), setup.end())},
                                   {"queries", json::array(queries.begin(), queries.end())}}));
  const auto answer = dir.path() / "answer.json", log = dir.path() / "log";
  const int status = device::testing::run_program(
      {kPython, kSource + "/tests/recordings/sql.py", request, answer.string()}, log);
  std::vector<Table> out;
  if (status == 0) {
    const auto answers = json::parse(content(answer));
    for (const auto& one : answers.as_array()) out.push_back(table_of(one.as_object()));
  } else {
    ADD_FAILURE() << "sql.py ended with " << status << ":\n" << content(log);
  }
  out.resize(queries.size());
  return out;
}

}  // namespace infiniedge::tests
