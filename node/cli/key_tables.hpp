#pragma once

/// `kith algs` and `kith keys types`: tables of this program, without a wallet.

#include "node/cli/output.hpp"

namespace kith::node {

[[nodiscard]] JsonObject algorithm_table();
[[nodiscard]] JsonObject key_type_table();

/// Of a table for people: a row for each, and what its columns mean.
void print_algorithms(const Output& output);
void print_key_types(const Output& output);

}  // namespace kith::node
