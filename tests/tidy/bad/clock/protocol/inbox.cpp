#include <chrono>
#include <ctime>

long long wall() { return std::chrono::system_clock::now().time_since_epoch().count(); }  // refused
auto steady() { return std::chrono::steady_clock::now(); }                                // refused
auto plain() { return time(nullptr); }                                                    // refused
auto qualified() { return std::time(nullptr); }                                           // refused
bool raw(timespec* out) { return clock_gettime(CLOCK_REALTIME, out) == 0; }               // refused
// system_clock::now() in a comment, "time(nullptr)" in a string, and members named time are fine.
const char* text() { return "time(nullptr)"; }
struct Entry {
  long long time() const { return 0; }
};
long long of(const Entry& entry) { return entry.time(); }
