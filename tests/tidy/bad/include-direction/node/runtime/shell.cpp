#include "ledger/embedded/leveldb_ledger.hpp"
#include "node/agent.hpp"
#include "tests/support/test_host.hpp"  // refused
