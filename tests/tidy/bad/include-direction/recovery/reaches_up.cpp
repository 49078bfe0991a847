#include "ledger/ledger.hpp"
#include "ledger/embedded/leveldb_ledger.hpp"  // refused
#include "node/agent.hpp"                      // refused
