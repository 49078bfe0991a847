#include "node/playbooks.hpp"

#include <algorithm>

namespace kith::node {

const std::vector<Playbook>& playbooks() {
  static const std::vector<Playbook> all = {
      {"lost-device",
       "A lost device",
       {"On another device of yours: `kith agent revoke DEVICE`. That is all, if it "
        "holds your identity too.",
        "Without one, take a new device: `kith init --no-identity` with your mediator, "
        "then `kith recover start`.",
        "Call your trustees. Each makes an invitation for you with `kith trustee "
        "invite CONTACT`; take it with `kith recover add-trustee URL`.",
        "On the call, read your code to them and type theirs: `kith recover code ID "
        "CODE`. They pick you from their contacts and approve. A text or an e-mail "
        "does not do.",
        "`kith recover status` says whom to call next, and how long the waits still "
        "run.",
        "`kith recover finish` takes your identity back: the lost device has no rights "
        "any more, all keys are new.",
        "Set your helpers up again: `kith recovery setup`. Look whether it is ready: "
        "`kith recovery status`."},
       " says that a device of theirs is lost. Until they say that it is over, take "
       "nothing from it for granted.",
       "stolen-device"},
      {"stolen-device",
       "A stolen device",
       {"On another device of yours: `kith agent revoke DEVICE`, at once. It replaces "
        "every key that the stolen one had.",
        "Without one, recover as after a loss, at once: `kith recover start` on a new "
        "device, then call your trustees.",
        "Tell your contacts that messages of these days may be false: `kith incident "
        "open stolen-device --tell everyone`.",
        "Tell your trustees by voice to approve nothing that they did not hear from "
        "you.",
        "When it is over: `kith recovery setup` again, and a new passphrase on the new "
        "device."},
       " says that a device of theirs was stolen: messages of these days may be "
       "false. Approve nothing for them unless you hear or see them."},
      {"compromised-key",
       "Foreign entries",
       {"`kith policy history`: was it another device of yours? Then `kith status "
        "--clear`.",
        "If not, somebody has your active keys. `kith did rotate`: new keys replace "
        "them.",
        "If it is a recovery that still waits: `kith did veto` ends it. Then `kith did "
        "rotate`, and other trustees: whoever posted it had what they guard.",
        "If the rotation is refused because the log has other keys now, recover, as "
        "after a theft. The recovery goes back to the newest entry that is yours.",
        "If that is vetoed, or trustees took the identity, the people of your last "
        "resort give it back: `kith recovery super-start`, then call them. They must "
        "sign within the contest time."},
       " says that somebody else has keys of theirs: messages of these days may be "
       "false. Approve nothing for them unless you hear or see them."},
      {"compromised-trustee",
       "A trustee in doubt",
       {"Ask all of them for a sign of life: `kith recovery heartbeat`, then `kith "
        "recovery status`.",
        "Watch the margin: if the plan needs three and only three still answer, ask "
        "the others to come back.",
        "Object to any recovery that is not yours: `kith recovery veto ID`.",
        "Tell the other trustees by voice, and keep your device safe: a set in force "
        "cannot be replaced yet."},
       " says that somebody who helps with their recovery is not to be trusted. "
       "Before you help with a recovery of theirs, call them."},
      {"compromised-ledger",
       "A ledger in doubt",
       {"`kith ledger status` says what was seen, and names evidence by its id.",
        "`kith ledger evidence ID` prints it as a file; give it to the operator and to "
        "others. Everybody checks it with `kith ledger verify`, without a wallet.",
        "Keep away from new contacts that this ledger vouches for. Move when you have "
        "another: `kith ledger move ADDRESS`. From a dead ledger only a recovery leads "
        "away."},
       " says that the ledger with their identity shows false states. Believe no "
       "change of their identity that you do not hear from them."},
      {"compromised-mediator",
       "A mediator in doubt",
       {"Take another one: `kith accept URL --role mediator`. Your contacts learn the "
        "address by themselves.",
        "Backups that lie with the old one stay there: wait until `kith recovery "
        "status` shows a new one."},
       " says that their mediator is not to be trusted: mail to them may be late or "
       "lost. Reach them by another way if it matters."},
  };
  return all;
}

const Playbook* playbook_of(std::string_view kind) {
  const auto& all = playbooks();
  const auto found = std::ranges::find(all, kind, &Playbook::kind);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace kith::node
