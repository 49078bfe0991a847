#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> key_commands() {
  const ArgSpec key{"KEY", "key", "Its id from `keys list`, or an end of it", text, true};
  const ArgSpec reason{"--reason", "reason", "Why; it stands in the audit log"};
  return {
      {"keys list",
       "Every key that this node holds: what for, whose, in which state, until when",
       "keys-list",
       Special::keys_list,
       {{"--state", "state",
         "Those in this state alone: pre-active, active, suspended, deactivated, compromised; "
         "destroyed and destroyed-compromised show what is gone"}}},
      {"keys show", "All that is known of one key", "keys-show", Special::none, {key}},
      {"keys types",
       "Which kinds of keys there are, where they are kept and how long they live",
       "",
       Special::key_types,
       {}},
      {"keys at-risk",
       "Keys that are due or soon to be, used too often, suspended or compromised",
       "keys-at-risk",
       Special::none,
       {}},
      {"keys impact",
       "What hangs on a key: whom it would concern if it were lost or stolen, and how it is "
       "replaced",
       "keys-impact",
       Special::none,
       {key}},
      {"keys compromised",
       "Mark a key that others may know: it protects nothing any more, and is replaced",
       "keys-compromised",
       Special::none,
       {key, reason},
       "Mark this key as compromised, for good, and replace it? `kith keys impact` shows what "
       "hangs "
       "on it."},
      {"keys rotate",
       "Make new keys for this device towards a contact; the old ones go a day after it has "
       "confirmed",
       "keys-rotate",
       Special::none,
       {{"CONTACT", "contact", "Name or id", text, true}}},
      {"keys suspend",
       "Let a device's key, a log's active key, a witness's key or a share rest: every use is "
       "refused",
       "keys-suspend",
       Special::none,
       {key, reason}},
      {"keys renew", "Put a suspended key to use again", "keys-renew", Special::none, {key}},
      {"keys destroy",
       "Erase a key that nothing rests on any more; the audit log gets a receipt",
       "keys-destroy",
       Special::none,
       {key, reason},
       "Destroy this key, for good?"},
  };
}

}  // namespace kith::node
