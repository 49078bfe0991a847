#include <future>
#include <mutex>
#include <thread>

std::mutex lock;                                      // refused
std::shared_mutex shared;                             // refused
std::condition_variable changed;                      // refused
void start() { std::thread([] {}).detach(); }         // refused
void start_too() { std::jthread worker([] {}); }      // refused
auto later() { return std::async([] { return 1; }); }  // refused
