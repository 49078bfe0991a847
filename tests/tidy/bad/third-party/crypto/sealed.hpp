#pragma once

#include <sodium.h>  // refused
