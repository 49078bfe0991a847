#ifndef GUARDED  // refused
#define GUARDED
// #pragma once in a comment does nothing.
#endif
