#include "node/agent.hpp"
#include "node/storage/store.hpp"
#include "node/storage/leveldb_store.hpp"  // refused
#include "node/net/http.hpp"               // refused
#include <node/control/server.hpp>         // refused
