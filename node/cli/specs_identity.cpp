#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> identity_commands() {
  return {
      {"did show", "Show your identity", "did-show", Special::none, {}},
      {"did resolve",
       "Look up a DID",
       "did-resolve",
       Special::did_resolve,
       {{"DID", "did", "The DID, or a DID URL", text, true},
        {"--ledger", "ledger", "Ask this ledger"},
        {"--json-ld", "json_ld", "The document as application/did+ld+json", flag},
        {"--resolution", "", "Print the result of DID Resolution alone, as JSON", flag},
        kWait}},
      {"did export",
       "Print a log as a file that others verify without this wallet: your DID's, or a contact's",
       "did-export",
       Special::ledger_file,
       {{"DID", "did", "Of this did:kith, if it is known here"},
        {"--policy", "policy", "Of your policy", flag}}},
      {"did take",
       "Take such a file from a friend whose ledger holds a recovery or a veto back: look-ups "
       "count "
       "what enough of its witnesses saw",
       "did-take",
       Special::did_take,
       {{"FILE", "", "The file; - or nothing: the input", file}}},
      {"did verify",
       "Check such a file, as of now or of another time; needs no wallet",
       "",
       Special::did_verify,
       {{"FILE", "", "The file; - or nothing: the input", file},
        {"--time", "", "As a reader at this time would have (2026-11-22T01:00:00Z)"},
        {"--test", "", "Also a log that was made for tests", flag}}},
      {"did lint",
       "Look for keys and addresses by which your contacts could find out that they know the same "
       "person",
       "did-lint",
       Special::did_lint,
       {{"FILE", "", "Of these DID documents (a JSON array) and not of your own; needs no wallet",
         file}}},
      {"did rotate",
       "Replace the keys of your identity",
       "did-rotate",
       Special::none,
       {},
       "Replace the keys of your identity by the next ones?"},
      {"did withdraw-address",
       "Take the address for public invitations out of your public document",
       "did-withdraw-address",
       Special::none,
       {},
       "Take your address back? Public invitations that nobody answered yet end to work."},
      {"did rotate-status",
       "Whether new keys wait for their backup or are posted",
       "did-rotate-status",
       Special::none,
       {}},
      {"identity check",
       "Show the check value of the link secret that your devices share",
       "identity-check",
       Special::none,
       {}},
      {"audit show",
       "Show what this node has done",
       "audit-show",
       Special::none,
       {{"--last", "last", "How many entries", number}}},
      {"audit verify", "Check that the audit log is whole", "audit-verify", Special::none, {}},
  };
}

}  // namespace kith::node
