#include <algorithm>
#include <random>
#include <vector>

std::random_device device;          // refused
std::mt19937_64 engine;             // refused
int dice() { return rand() % 6; }   // refused
void seed(unsigned s) { srand(s); }  // refused
void mix(std::vector<int>& v) {
  std::shuffle(v.begin(), v.end(), engine_of_ours);  // refused
}
int pick() {
  std::uniform_int_distribution<int> die(1, 6);  // refused
  return die(engine_of_ours);
}
int operand(int x) { return x; }
