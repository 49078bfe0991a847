#include <thread>

void wait() { std::this_thread::sleep_for(one_second); }  // refused
void wait_too() { usleep(1000); }                         // refused
bool asleep(int) { return true; }
bool ask() { return asleep(1); }
