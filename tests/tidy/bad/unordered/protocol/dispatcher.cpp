#include <map>
#include <unordered_map>  // refused
#include <unordered_set>  // refused

std::unordered_map<int, int> handlers;  // refused
std::unordered_multiset<int> marks;     // refused
std::map<int, int> ordered;
