// SPDX-License-Identifier: Apache-2.0
// The guide's way of working: up -f, edit, apply -f, restart; and what must be refused.
#include "one_node.hpp"

namespace infiniedge::tests {
namespace {

class Apply : public OneNode {
 protected:
  std::string site(const std::string& name, const std::string& every) {
    return write(name,
                 "infiniedge: v1\ndevices:\n  pump-7:\n    connector: modbus\n"
                 "    address: tcp://127.0.0.1:1\n    every: " +
                     every + "\n    points: [{name: x, address: \"ir:0\"}]\n");
  }
  bool every_is(const std::string& value) {
    return command("get device/pump-7 -o json") == 0 &&
           out_.find("\"every\":\"" + value + "\"") != std::string::npos;
  }
};

TEST_F(Apply, TheSamePathChangesWhatTheNodeReadThereAndSurvivesARestart) {
  site("site.yaml", "1s");
  up({"-f", path("site.yaml")});
  EXPECT_TRUE(every_is("1s")) << out_;
  site("site.yaml", "2s");
  EXPECT_EQ(command("apply --dry-run -f " + path("site.yaml")), 1) << out_;
  EXPECT_TRUE(every_is("1s"));
  EXPECT_EQ(command("apply -f " + path("site.yaml")), 0) << out_;
  EXPECT_TRUE(every_is("2s")) << out_;
  kill();
  up({});
  EXPECT_TRUE(every_is("2s")) << out_;
}

TEST_F(Apply, AnotherPathMayNotChangeIt) {
  site("site.yaml", "1s");
  site("other.yaml", "5s");
  up({"-f", path("site.yaml")});
  EXPECT_EQ(command("apply -f " + path("other.yaml")), 78) << out_;
  EXPECT_NE(out_.find("managed by"), std::string::npos) << out_;
  EXPECT_TRUE(every_is("1s"));
}

TEST_F(Apply, AFileWithAMistakeChangesNothing) {
  site("site.yaml", "1s");
  up({"-f", path("site.yaml")});
  site("site.yaml", "250");
  EXPECT_EQ(command("apply -f " + path("site.yaml")), 78);
  EXPECT_NE(out_.find("did you mean \"250s\""), std::string::npos) << out_;
  EXPECT_TRUE(every_is("1s"));
}

TEST_F(Apply, GetSaysWhyInTheWideTableAndEverythingInYaml) {
  site("site.yaml", "1s");
  up({"-f", path("site.yaml")});
  EXPECT_EQ(command("get devices -o wide"), 0) << out_;
  EXPECT_NE(out_.find("SINCE"), std::string::npos) << out_;
  EXPECT_NE(out_.find("MESSAGE"), std::string::npos) << out_;
  EXPECT_EQ(command("get devices -o yaml"), 0) << out_;
  EXPECT_EQ(out_.find("---\n"), 0U) << out_;
  EXPECT_NE(out_.find("name: pump-7"), std::string::npos) << out_;
  EXPECT_NE(out_.find("connector: modbus"), std::string::npos) << out_;
}

TEST_F(Apply, ASecondProcessOnTheSameDataIsRefused) {
  site("site.yaml", "1s");
  up({"-f", path("site.yaml")});
  EXPECT_EQ(command("up --http 127.0.0.1:0 --data " + path("data")), 73) << out_;
}

}  // namespace
}  // namespace infiniedge::tests
