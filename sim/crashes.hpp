#pragma once

/// Crashes: decides at every commit and every effect of every node whether the node dies there.
///
/// Three sources, all drawn from the run's seed: a base rate; one planned crash in each phase of
/// interest (phases.hpp), at its n-th site; and crashes that a test asks for. Every site is
/// counted, and so is every crash, by phase: marks "site.<phase>" and "crash.<phase>.<where>".

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/store.hpp"
#include "sim/faults.hpp"
#include "sim/sim_store.hpp"
#include "sim/world.hpp"

namespace kith::sim {

enum class CrashSite : std::uint8_t {
  commit_lost,    ///< Dies before the sync.
  commit_kept,    ///< Dies after it; no effect has left.
  effect_before,  ///< Dies with an effect in hand.
  effect_after,   ///< Dies when it has left.
};
inline constexpr std::size_t kCrashSites = 4;
[[nodiscard]] std::string_view site_name(CrashSite site);

class Crashes {
 public:
  Crashes(World& world, const Faults& faults);

  /// Sees every batch before its fate is decided: for checkers.
  std::function<void(std::string_view node, const protocol::Batch&)> on_commit;

  /// `phase`: of the batch, empty for none of interest.
  [[nodiscard]] CommitFate at_commit(std::string_view node, std::string_view phase);
  [[nodiscard]] bool at_effect(std::string_view node, std::string_view phase, CrashSite site);
  [[nodiscard]] bool at_read();

  /// The `n`-th commit of `node` from now (1 is the next) ends in `fate`, once.
  void crash_commit(std::string_view node, std::uint64_t n, CommitFate fate);
  /// The same at the `n`-th effect; `site` is effect_before or effect_after.
  void crash_effect(std::string_view node, std::uint64_t n, CrashSite site);
  [[nodiscard]] bool crash_is_due(std::string_view node) const;
  [[nodiscard]] std::uint64_t commits_of(std::string_view node) const;
  /// From here on nobody crashes any more (the healing phase).
  void stop() { stopped_ = true; }

 private:
  struct Planned {
    std::string phase;
    CrashSite site;
    std::uint64_t countdown;
  };
  struct Asked {
    std::uint64_t countdown = 0;
    CrashSite site = CrashSite::commit_lost;
  };
  [[nodiscard]] bool planned(std::string_view phase, CrashSite site);
  [[nodiscard]] bool asked(std::string_view node, CrashSite site);
  void count(std::string_view phase, CrashSite site);

  World& world_;
  Faults faults_;
  crypto::SeededRandom random_;
  std::vector<Planned> planned_;
  std::map<std::string, Asked, std::less<>> asked_;
  std::map<std::string, std::uint64_t, std::less<>> commits_;
  bool stopped_ = false;
};

}  // namespace kith::sim
