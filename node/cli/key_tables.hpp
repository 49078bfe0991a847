#pragma once

/// `kith algs` and `kith keys types`: tables of this program, without a wallet.

#include "node/cli/output.hpp"

namespace kith::node {

/// A row for each, and what its columns mean; with --json the whole table.
void print_algorithms(const Output& output);
void print_key_types(const Output& output);

}  // namespace kith::node
