// didcomm-node as a process that packs and unpacks.
//
// Parties and documents that came by `party` and `know` are remembered. `own` lists the DIDs whose
// private keys a command may use.

import {didcomm, message, Wallet} from './didcomm_node.mjs';
import {party, serve} from './line_peer.mjs';

const wallet = new Wallet();
const {resolver} = wallet;

await serve({
  party: async (args) => {
    const made = party(args);
    wallet.remember(made);
    return made;
  },
  know: async ({document}) => wallet.remember({document}),
  pack_plaintext: async (args) =>
    ({envelope: await message(args.message).pack_plaintext(resolver)}),
  pack_signed: async (args) => {
    const [envelope, metadata] =
        await message(args.message).pack_signed(args.sign_by, resolver, wallet.keys(args.own));
    return {envelope, metadata};
  },
  pack_encrypted: async (args) => {
    const [envelope, metadata] = await message(args.message).pack_encrypted(
        args.to, args.from ?? null, args.sign_by ?? null, resolver, wallet.keys(args.own),
        {forward: false, ...args.options});
    return {envelope, metadata};
  },
  from_prior: async (args) => {
    const [jwt, kid] = await new didcomm.FromPrior(args.claims).pack(
        args.kid ?? null, resolver, wallet.keys(args.own));
    return {jwt, kid};
  },
  unpack: async (args) => {
    const [opened, metadata] =
        await didcomm.Message.unpack(args.envelope, resolver, wallet.keys(args.own), {});
    return {message: opened.as_value(), metadata, forward: opened.try_parse_forward()};
  },
});
