#pragma once

#include <leveldb/db.h>  // refused
