#pragma once

/// What `kith init` does once the home exists: a name, an identity, a mediator. A step that is done
/// already is passed over, so that an interrupted `kith init` can be repeated.

#include <memory>
#include <optional>
#include <string>

#include "node/cli/args.hpp"
#include "node/cli/output.hpp"
#include "node/cli/session.hpp"

namespace kith::node {

/// The answers that a home is made from.
struct Wishes {
  std::string name;
  std::string ledger;
  std::string mediator;
  bool with_identity = true;
  bool test = false;
  bool private_network = false;
  std::string ca_file;      ///< Further CAs to trust; kept in the home.
  std::string login_file;   ///< For a ledger in etcd; what it says is kept in the home.
  bool passphrase = false;  ///< False: a key file.
};

/// Makes the home, with the passphrase that the options name or a person chooses; sets
/// `wishes.passphrase` too.
[[nodiscard]] Result<std::unique_ptr<Runtime>> make_home(const std::string& directory,
                                                         const Invocation& invocation,
                                                         Wishes& wishes);
/// Goes on with a home whose first steps were interrupted; it keeps its passphrase and settings.
[[nodiscard]] Result<std::unique_ptr<Runtime>> reopen_home(const std::string& directory,
                                                           const Invocation& invocation,
                                                           Wishes& wishes);

class FirstSteps {
 public:
  FirstSteps(Session& session, const Invocation& invocation, const Output& output)
      : session_(session), invocation_(invocation), output_(output) {}

  /// Adds to `summary` what was reached. After an error the steps can be repeated.
  [[nodiscard]] std::optional<ErrorReport> run(const Wishes& wishes, JsonObject& summary);

 private:
  void progress(const std::string& text) const;
  [[nodiscard]] std::int64_t wait_s() const;
  [[nodiscard]] std::optional<ErrorReport> make_identity(const Wishes& wishes);
  [[nodiscard]] std::optional<ErrorReport> connect(const std::string& mediator,
                                                   JsonObject& summary);
  [[nodiscard]] std::optional<ErrorReport> wait_for_identity(JsonObject& summary);

  Session& session_;
  const Invocation& invocation_;
  const Output& output_;
};

}  // namespace kith::node
