#include <cassert>  // refused

static_assert(sizeof(int) == 4);
void put(int bytes) { assert(bytes > 0); }  // refused
#ifdef NDEBUG                               // refused
#endif
#define ASSERT(condition) check_always(condition)
void get(int bytes) { ASSERT(bytes > 0); }
