#include <thread>

void wait() { std::this_thread::sleep_for(one_second); }  // refused
