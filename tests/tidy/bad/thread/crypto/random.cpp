#include <mutex>

std::mutex only_the_arena_may;  // refused
