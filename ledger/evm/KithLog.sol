// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A ledger of Kith: supplies order and time, and judges nothing. Readers decide what counts.
///
/// There is no owner, no state and no check on purpose. Whoever could stop an entry, or move a head
/// that others must name, could keep the owner of a log out of it.
contract KithLog {
    event Posted(bytes32 indexed subject, bytes data);

    function post(bytes32 subject, bytes calldata data) external {
        emit Posted(subject, data);
    }
}
