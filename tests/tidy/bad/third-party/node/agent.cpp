#include <boost/asio/awaitable.hpp>  // refused
#include <leveldb/db.h>              // refused
#include <CLI/CLI.hpp>               // refused
#include <gtest/gtest.h>             // refused
#include <benchmark/benchmark.h>     // refused
