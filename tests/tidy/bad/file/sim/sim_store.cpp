#include <cstdio>
#include <filesystem>  // refused
#include <fstream>     // refused

std::ofstream out("trace");                                    // refused
bool there() { return std::filesystem::exists("trace"); }      // refused
FILE* open_trace() { return std::fopen("trace", "r"); }        // refused
int descriptor() { return ::open("trace", 0); }                // refused
struct Box {
  bool open(const char*);
};
bool use(Box& box) { return box.open("fopen("); }
