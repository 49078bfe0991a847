#pragma once

#include "crypto/bytes.hpp"
#include "protocol/record.hpp"  // refused
