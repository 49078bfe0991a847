// slip39 as a process that splits and combines.
//
//   {"do": "split", "secret": hex, "threshold": 1, "groups": [[2, 3]], "passphrase": "", "exponent": 0,
//    "extendable": true} -> {"groups": [[mnemonic]]}
//   {"do": "combine", "mnemonics": [], "passphrase": ""} -> {"secret": hex}

import {load, serve} from './line_peer.mjs';

const Slip39 = (await load('slip39')).default;

await serve({
  split({secret, threshold, groups, passphrase, exponent, extendable}) {
    const made = Slip39.fromArray([...Buffer.from(secret, 'hex')], {
      passphrase, threshold, groups, iterationExponent: exponent,
      extendableBackupFlag: extendable ? 1 : 0});
    return {groups: groups.map(([, count], group) => Array.from(
        {length: count}, (_, member) => made.fromPath(`r/${group}/${member}`).mnemonics[0]))};
  },
  combine({mnemonics, passphrase}) {
    return {secret: Buffer.from(Slip39.recoverSecret(mnemonics, passphrase)).toString('hex')};
  },
});
