TEST(SeededRandom, RepeatsItself) {
  EXPECT_EQ(first.u64(), second.u64());
  EXPECT_NE(first.u64(), first.u64());  // refused
}
