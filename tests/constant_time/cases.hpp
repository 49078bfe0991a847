#pragma once

/// Each case runs a part of crypto/ on marked secrets. It asserts that it did its work; what
/// depends on a secret is valgrind's to see.

#include <cstdint>

namespace kith::test {

void compare_secrets();
void derive_keys();
void share_bytes();
void encrypt_and_decrypt();
void wrap_and_agree();
void sign_with_secp256k1();
void deal_and_combine();
void prove_shares();
void seal_and_open_backup();
void use_software_keys();
void prove_agent();

/// What the check must report. Each returns something, so that nothing of it is left out.
int leak_by_branch();
int leak_by_address();
int leak_by_comparison();

}  // namespace kith::test
