// SPDX-License-Identifier: Apache-2.0
#include "stream/parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Parser, ReadsEveryFormOfTheGrammar) {
  const std::string_view texts[] = {
      "SELECT * FROM machine",
      "SELECT * EXCEPT (temp, load) FROM machine AS m WHERE m.temp > 1.5e2",
      "select a.b AS c, -x % 2 || 'it''s', 1 + 2 * 3 from \"on\" where not a is not null;",
      "SELECT CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END, CAST(x AS int) FROM s",
      "SELECT x FROM s WHERE a NOT BETWEEN 1 AND 2 AND b NOT IN (1, 2) OR c NOT LIKE '%x_'",
      "SELECT avg(x) FILTER (WHERE x > 0), count(DISTINCT y), count(*) FROM s GROUP BY k, "
      "TUMBLE(1m30s, 10s) FILTER (WHERE x > 1) HAVING count(*) > 2 EMIT ON CLOSE LATE SIDE",
      "SELECT count(*) FROM s GROUP BY HOP(1m, 10s) EMIT EVERY 5s LATE UPDATE",
      "SELECT count(*) FROM s GROUP BY SLIDE(10s, 1s) WHEN x > 3 EMIT ON UPDATE LATE DROP",
      "SELECT count(*) FROM s GROUP BY SESSION(30s, 1h)",
      "SELECT count(*) FROM s GROUP BY COUNT_WINDOW(10, 2)",
      "SELECT count(*) FROM s GROUP BY STATE_WINDOW(a = 1, b = 2)",
      "SELECT lag(x, 2, 0, TRUE) OVER (PARTITION BY a, b WHEN c > 1) FROM s",
      "SELECT lag(x) OVER () FROM s",
      "SELECT a.x FROM a LEFT ASOF JOIN b AS c ON a.k = c.k WITHIN 10s WHERE a.x > 1",
      "SELECT x FROM (SELECT y AS x FROM s WHERE y > 1) AS t",
      "SELECT count(*) FROM s GROUP BY TUMBLINGWINDOW(ss, 10)",
      "SELECT count(*) FROM s GROUP BY HOPPINGWINDOW(mi, 10, 5)",
      "SELECT count(*) FROM s GROUP BY COUNTWINDOW(5, 1)",
      "SELECT model('x', a, b) AS m -- a comment\n /* and\n another */ FROM s"};
  for (const auto text : texts) {
    const auto select = parse(text);
    EXPECT_TRUE(select) << text << "\n"
                        << (select ? "" : base::format(select.error().front(), text));
  }
}

TEST(Parser, TurnsPeerSpellingsIntoOurs) {
  const auto session = parse("SELECT count(*) FROM s GROUP BY SESSIONWINDOW(ss, 100, 10)");
  ASSERT_TRUE(session);
  EXPECT_EQ(session->window->first, 10'000'000);  // the gap: their order is max, timeout
  EXPECT_EQ(session->window->second, 100'000'000);
  const auto hop = parse("SELECT count(*) FROM s GROUP BY HOPPINGWINDOW(ms, 100, 50)");
  ASSERT_TRUE(hop);
  EXPECT_EQ(hop->window->first, 100'000);
  EXPECT_EQ(hop->window->second, 50'000);
}

TEST(Parser, BindsOperatorsByRank) {
  const auto text = [](std::string_view sql) { return to_text(**parse_expression(sql)); };
  EXPECT_EQ(text("a + b * c - d"), "((a + (b * c)) - d)");
  EXPECT_EQ(text("NOT a = 1 AND b OR c"), "((NOT ((a = 1)) AND b) OR c)");
  EXPECT_EQ(text("-a || b"), "(- (a) || b)");
  EXPECT_EQ(text("a BETWEEN 1 AND 2 AND b"), "((a BETWEEN 1 AND 2) AND b)");
  EXPECT_EQ(text("1m30s"), "90000000us");
}

TEST(Parser, SaysWhereAndWhatToWriteInstead) {
  EXPECT_THAT(Bench::faults("SELCT temp FROM machine"),
              ElementsAre("1:1 R001 expected SELECT at the start, found \"SELCT\" [SELECT]"));
  EXPECT_THAT(Bench::faults("SELECT temp\nFORM machine"),
              ElementsAre("2:1 R001 expected AS, a comma or FROM, found \"FORM\" [FROM]"));
  EXPECT_THAT(Bench::faults("SELECT temp FROM machine\nWHER temp > 1"),
              ElementsAre(::testing::AllOf(HasSubstr("2:1 R001"), HasSubstr("[WHERE]"))));
  EXPECT_THAT(Bench::faults("SELECT tmep FROM machine"),
              ElementsAre("1:8 R003 no column \"tmep\" in machine [temp]"));
  EXPECT_THAT(Bench::faults("SELECT temp FROM machin"),
              ElementsAre("1:18 R002 no stream \"machin\" [machine]"));
  EXPECT_THAT(Bench::faults("SELECT avgg(temp) FROM machine GROUP BY TUMBLE(1s)"),
              ElementsAre("1:8 R004 no function \"avgg\" [avg]"));
  EXPECT_THAT(Bench::faults("SELECT avg(temp) FROM machine GROUP BY TUMBLE(10)"),
              ElementsAre(::testing::AllOf(HasSubstr("1:47 R001"), HasSubstr("[10s]"))));
  EXPECT_THAT(
      Bench::faults("SELECT avg(temp) FROM machine"),
      ElementsAre(::testing::AllOf(HasSubstr("1:8 R005"), HasSubstr("[GROUP BY TUMBLE(10s)]"))));
  EXPECT_THAT(
      Bench::faults("SELECT temp FROM machine WHERE mode > 3"),
      ElementsAre(HasSubstr("1:32 R004 \">\" takes values of one type, found string and int")));
  EXPECT_THAT(Bench::faults("SELECT temp FROM machine WHERE on = 1"),
              ElementsAre(::testing::AllOf(HasSubstr("1:32 R001"), HasSubstr("ON"))));
  EXPECT_THAT(Bench::faults("SELECT temp FROM \"pump-7\""),
              ElementsAre("1:18 R002 no stream \"pump-7\" [pump_7]"));
  EXPECT_THAT(Bench::faults("SELECT temp FROM pump-7 WHERE temp > 1"),
              ElementsAre("1:18 R001 in SQL a \"-\" in a name is written \"_\" [pump_7]"));
  EXPECT_THAT(Bench::faults("SELECT 'a FROM machine"),
              ElementsAre(HasSubstr("1:8 R001 this quote is not closed")));
}

TEST(Parser, ReportsSeveralMistakesAtOnce) {
  EXPECT_THAT(Bench::faults("SELECT tmp, laod, lenght(mode) FROM machine WHERE cuont > 1"),
              ElementsAre(HasSubstr("[count]"), HasSubstr("[temp]"), HasSubstr("[load]"),
                          HasSubstr("[length]")));
  EXPECT_THAT(Bench::faults("SELECT temp +, load) FROM machine WHERE > 1"),
              ElementsAre(HasSubstr("1:14"), HasSubstr("1:20"), HasSubstr("1:41")));
}

TEST(Parser, CountsColumnsInCodePoints) {
  EXPECT_THAT(Bench::faults("SELECT 'Größe' AS a, tmep FROM machine"),
              ElementsAre(HasSubstr("1:22 R003")));
}

TEST(Parser, RefusesWhatWouldOverflowTheStack) {
  std::string deep(50'000, '(');
  EXPECT_THAT(Bench::faults("SELECT " + deep), ElementsAre(HasSubstr("nested more than 100 deep")));
  std::string minus = "SELECT ";
  for (int i = 0; i < 20'000; ++i) minus += "- ";
  EXPECT_FALSE(parse(minus + "1 FROM s"));
  std::string chain = "SELECT 1";
  for (int i = 0; i < 5'000; ++i) chain += "+1";
  EXPECT_FALSE(parse(chain + " FROM s"));
}

TEST(Parser, NamesWhatDoesNotRunYet) {
  const std::string_view texts[] = {
      "SELECT temp FROM machine JOIN pump_7 ON temp = temp",
      "SELECT x FROM (SELECT temp AS x FROM machine)",
      "SELECT count(*) FROM machine GROUP BY SESSION(10s)",
      "SELECT count(*) FROM machine GROUP BY SLIDE(10s)",
      "SELECT count(*) FROM machine GROUP BY STATE_WINDOW(\"on\")",
      "SELECT count(*) FROM machine GROUP BY TUMBLE(10s) EMIT ON UPDATE"};
  for (const auto text : texts) {
    EXPECT_THAT(Bench::faults(std::string(text)), ::testing::Contains(HasSubstr("unsupported")))
        << text;
  }
}

}  // namespace
}  // namespace infiniedge::stream
