#include "crypto/bytes.hpp"
#include "bytes.hpp"           // refused
#include "../crypto/hash.hpp"  // refused
