// The npm package didcomm-node as a peer of bench_envelope: the same message, warmed up, in blocks.
// One word a line on stdin (pack, unpack), one number a line on stdout: microseconds an operation.

import {createInterface} from 'node:readline';

import {didcomm, message, Wallet} from '../tests/interop/didcomm_node.mjs';
import {party} from '../tests/interop/line_peer.mjs';

const WARM_UP = 300;
const BLOCK = 10;

const wallet = new Wallet();
const [from, to] = ['did:example:alice', 'did:example:bob'];
for (const did of [from, to]) wallet.remember(party({did, agree: ['X25519'], sign: ['Ed25519']}));
const {resolver} = wallet;
const [ours, theirs] = [wallet.keys([from]), wallet.keys([to])];

const pack = async () => {
  const letter = message({
    id: '1234567890', type: 'https://example.org/talk/1.0/word', from, to: [to],
    created_time: Math.floor(Date.now() / 1000), body: {content: 'x'.repeat(1024)}});
  const [envelope] = await letter.pack_encrypted(to, from, null, resolver, ours, {forward: false});
  return envelope;
};
const packed = await pack();
const work = {pack, unpack: () => didcomm.Message.unpack(packed, resolver, theirs, {})};

for (const operation of Object.values(work)) {
  for (let i = 0; i < WARM_UP; ++i) await operation();
}
process.stdout.write('ready\n');
for await (const word of createInterface({input: process.stdin})) {
  const begin = process.hrtime.bigint();
  for (let i = 0; i < BLOCK; ++i) await work[word]();
  process.stdout.write(`${Number(process.hrtime.bigint() - begin) / 1000 / BLOCK}\n`);
}
