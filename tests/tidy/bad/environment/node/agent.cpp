#include <cstdlib>

const char* home() { return std::getenv("HOME"); }  // refused
void change() { setenv("HOME", "/", 1); }           // refused
