// SPDX-License-Identifier: Apache-2.0
#include "record/label.hpp"

#include <gtest/gtest.h>

namespace infiniedge::record {
namespace {

TEST(Label, DefaultIsIdOne) {
  LabelTable table;
  EXPECT_EQ(*table.intern(Label{}), LabelId::Default);
  EXPECT_EQ(table.find(LabelId::Default), Label{});
}

TEST(Label, EqualLabelsShareAnId) {
  LabelTable table;
  const Label open{.jurisdictions = 3, .data_class = DataClass::Public};
  const LabelId id = *table.intern(open);
  EXPECT_NE(id, LabelId::Default);
  EXPECT_EQ(*table.intern(open), id);
  EXPECT_EQ(table.find(id), open);
}

TEST(Label, JoinIsNeverLooserThanEither) {
  const Label a{.jurisdictions = 3,
                .data_class = DataClass::Public,
                .purposes = 5,
                .retention = Seconds{100},
                .subjects = 1};
  const Label b{.jurisdictions = 6,
                .data_class = DataClass::Sensitive,
                .purposes = 4,
                .retention = Seconds{0},
                .subjects = 2};
  EXPECT_EQ(join(a, b), (Label{2, DataClass::Sensitive, 4, Seconds{100}, 3}));
  EXPECT_EQ(join(a, b), join(b, a));
}

TEST(Label, UnknownIdPermitsNothing) {
  LabelTable table;
  const Label nothing = table.find(static_cast<LabelId>(77));
  EXPECT_EQ(nothing.jurisdictions, 0u);
  EXPECT_EQ(nothing.data_class, DataClass::Restricted);
}

TEST(Label, RestoredIdCannotChangeItsMeaning) {
  LabelTable table;
  const Label open{.data_class = DataClass::Public};
  ASSERT_TRUE(table.restore(static_cast<LabelId>(5), open));
  EXPECT_EQ(table.find(static_cast<LabelId>(5)), open);
  EXPECT_TRUE(table.restore(static_cast<LabelId>(5), open));
  EXPECT_FALSE(table.restore(static_cast<LabelId>(5), Label{.purposes = 9}));
  EXPECT_FALSE(table.restore(LabelId::Default, open));
}

}  // namespace
}  // namespace infiniedge::record
