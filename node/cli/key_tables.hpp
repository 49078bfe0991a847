#pragma once

/// `kith algs` and `kith keys types`: tables of this program, without a wallet. And the table of a
/// wallet's keys.

#include "node/cli/output.hpp"

namespace kith::node {

/// A row for each, and what its columns mean; with --json the whole table.
void print_algorithms(const Output& output);
void print_key_types(const Output& output);
/// `reply` of the command keys-list: a line for each key.
void print_key_list(const JsonObject& reply, const Output& output);

}  // namespace kith::node
