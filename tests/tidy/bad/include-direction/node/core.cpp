#include "node/storage/store.hpp"
#include "node/storage/leveldb_store.hpp"      // refused
#include "node/runtime/system_clock.hpp"       // refused
#include "ledger/embedded/leveldb_ledger.hpp"  // refused
#include "sim/world.hpp"                       // refused
// #include "node/net/http.hpp" in a comment is not an include.
