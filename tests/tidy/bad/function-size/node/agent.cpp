namespace kith::node {

Agent::Agent(int a, int b) : a_{a}, b_{b} {  // refused
  // repeat 119
  step();
}

int Agent::just_fits() const {
  // repeat 118
  step();
}

TEST(Agent, DoesTooMuchAtOnce) {  // refused
  auto inner = [] {
    // repeat 117
    step();
  };
}

struct Table {
  // repeat 130
  int row = 0;
};

constexpr Table kTable[] = {
    // repeat 130
    {1},
};

}  // namespace kith::node
