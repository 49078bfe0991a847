#include <string>  // refused

#include "protocol/did.hpp"
