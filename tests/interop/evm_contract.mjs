// Compiles a Solidity file as ledger/evm/contract.json says it was compiled, with solc in JavaScript.
//
//   node evm_contract.mjs FILE [SETTING=VALUE]...     {"abi", "compiler", "creation", "runtime"}
//
// A setting is evmVersion or runs, where another than ours is wanted.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';

const require = createRequire(join(process.env.KITH_INTEROP_PACKAGES, 'package.json'));
const solc = require('solc');

const [file, ...others] = process.argv.slice(2);
const wished = Object.fromEntries(others.map((text) => text.split('=')));
const input = {
  language: 'Solidity',
  sources: {'KithLog.sol': {content: readFileSync(file, 'utf8')}},
  settings: {
    // Without a later chain's instructions, so that the same bytes run on every chain since 2022.
    evmVersion: wished.evmVersion ?? 'paris',
    optimizer: {enabled: true, runs: Number(wished.runs ?? 200)},
    // Nothing in the code but code: no hash of source and settings.
    metadata: {appendCBOR: false, bytecodeHash: 'none'},
    outputSelection: {'*': {'*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object']}},
  },
};

const output = JSON.parse(solc.compile(JSON.stringify(input)));
if (output.errors?.length) {
  console.error(output.errors.map((error) => error.formattedMessage).join('\n'));
  process.exit(1);
}
const {abi, evm} = output.contracts['KithLog.sol'].KithLog;
console.log(JSON.stringify({
  abi, compiler: solc.version(), creation: evm.bytecode.object, runtime: evm.deployedBytecode.object,
}));
