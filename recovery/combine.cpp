#include "recovery/combine.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "crypto/dleq.hpp"
#include "crypto/limits.hpp"
#include "recovery/point_tree.hpp"

namespace kith::recovery {
namespace {

/// Versions of one record that are tried off the sheets, newest first.
constexpr std::size_t kVersionRanks = 4;
/// Where every leaf is on a sheet, more planted slots than this are the next sheet's business.
constexpr std::size_t kPlantedMax = 2;

/// A leaf whose share somebody has proved to use: an answer's or one in hand.
struct Usable {
  SheetLeaf leaf;
  std::optional<std::size_t> answer;  ///< Index of the answer, or
  std::size_t in_hand = 0;            ///< of the share in hand.
  bool paper = false;
  std::vector<std::size_t> sheets;  ///< That know it.

  bool on(std::size_t sheet) const {
    return std::find(sheets.begin(), sheets.end(), sheet) != sheets.end();
  }
};

class Combiner {
 public:
  explicit Combiner(const Collected& collected) : in_(collected) {}

  Result<Combined> run() {
    CHECK(check_input());
    for (std::size_t i = 0; i < in_.answers.size(); ++i) read(i);
    CHECK(take_shares_in_hand());
    place_on_sheets();
    std::optional<std::size_t> sheet = try_sheets();
    if (!root_) try_without_sheet();
    report_progress();
    if (root_) {
      CHECK(open(sheet));
      if (sheet) judge(*sheet);
    }
    return std::move(out_);
  }

 private:
  Result<void> check_input() const {
    if (in_.targets.empty()) return fail(Errc::malformed, "nothing to open");
    if (in_.targets.size() > limits::kPartialPointsMax) {
      return fail(Errc::limit_exceeded, "more than four targets at once");
    }
    if (in_.answers.size() > kCollectedAnswersMax || in_.shares.size() > limits::kPlanLeavesMax) {
      return fail(Errc::limit_exceeded, "too many answers");
    }
    for (const CollectedSession& session : in_.sessions) {
      const Blinding& blinding = session.blinding;
      if (blinding.factors.size() != in_.targets.size() ||
          blinding.blinded.size() != in_.targets.size()) {
        return fail(Errc::malformed, "a session does not fit the targets");
      }
      for (const Scalar& factor : blinding.factors) {
        if (factor.is_zero()) return fail(Errc::malformed, "a blinding factor is zero");
      }
    }
    for (const CollectedAnswer& answer : in_.answers) {
      if (answer.session >= in_.sessions.size()) {
        return fail(Errc::malformed, "an answer without its session");
      }
    }
    return {};
  }

  void read(std::size_t index) {
    const CollectedAnswer& collected = in_.answers[index];
    const CollectedSession& session = in_.sessions[collected.session];
    out_.status.push_back(AnswerStatus::malformed);
    parsed_.push_back(std::nullopt);
    auto answer = read_answer(collected.answer);
    if (!answer.has_value() || answer->partials.size() != in_.targets.size()) return;
    parsed_.back() = std::move(*answer);
    const LeafAnswer& leaf = *parsed_.back();
    out_.status[index] = AnswerStatus::bad_proof;
    const Bytes statement =
        partial_statement(leaf.record_id, leaf.version, session.session_id, session.session_key);
    for (std::size_t j = 0; j < leaf.partials.size(); ++j) {
      const crypto::DleqPoints points{leaf.share_point, session.blinding.blinded[j],
                                      leaf.partials[j]};
      if (!crypto::verify_dleq(points, statement, leaf.proofs[j]).has_value()) return;
    }
    const SheetLeaf key{leaf.record_id, leaf.version, leaf.x_path, leaf.share_point};
    if (known_already(key)) {
      out_.status[index] = AnswerStatus::repeated;
      return;
    }
    out_.status[index] = AnswerStatus::off_sheet;
    usable_.push_back({key, index, 0, false, {}});
  }

  bool known_already(const SheetLeaf& leaf) const {
    return std::any_of(usable_.begin(), usable_.end(), [&](const Usable& other) {
      return other.leaf.record_id == leaf.record_id && other.leaf.version == leaf.version &&
             other.leaf.share_point == leaf.share_point &&
             same_path(other.leaf.x_path, leaf.x_path);
    });
  }

  Result<void> take_shares_in_hand() {
    for (std::size_t i = 0; i < in_.shares.size(); ++i) {
      const ShareInHand& share = in_.shares[i];
      CHECK(check_leaf_path(share.x_path));
      TRY(const Point point, Point::base_times(share.share));
      const bool repeated = std::any_of(usable_.begin(), usable_.end(), [&](const Usable& other) {
        return other.leaf.share_point == point && same_path(other.leaf.x_path, share.x_path);
      });
      if (repeated) continue;
      usable_.push_back({{share.record_id.value_or(RecordId{}), share.version, share.x_path, point},
                         std::nullopt,
                         i,
                         !share.record_id.has_value(),
                         {}});
    }
    for (const Usable& usable : usable_) {
      leaves_.push_back({usable.leaf.x_path, usable.leaf.share_point});
    }
    return {};
  }

  void place_on_sheets() {
    bool answers = false;
    bool placed = false;
    for (Usable& usable : usable_) {
      for (std::size_t s = 0; s < in_.sheets.size(); ++s) {
        const Sheet& sheet = in_.sheets[s];
        if (usable.paper ? sheet.has_paper(usable.leaf.share_point) : sheet.has_leaf(usable.leaf)) {
          usable.sheets.push_back(s);
        }
      }
      if (usable.answer && !usable.sheets.empty()) {
        out_.status[*usable.answer] = AnswerStatus::counted;
      }
      answers = answers || usable.answer.has_value();
      placed = placed || !usable.sheets.empty();
    }
    out_.sheet_suspect = answers && !placed && !in_.sheets.empty();
  }

  /// Whether these leaves give Y. Keeps the root if so.
  bool attempt(const std::vector<std::size_t>& chosen, const Sheet* sheet) {
    auto root = build_root(leaves_, chosen, sheet);
    if (!root) return false;
    const SecretPoint candidate(root->value);
    const crypto::ContainerCore& first = in_.targets.front();
    if (crypto::ycheck(first.core_salt, candidate) != first.ycheck) return false;
    root_ = std::move(root);
    return true;
  }

  std::optional<std::size_t> try_sheets() {
    std::uint32_t trials = in_.trials_max;
    for (std::size_t s = 0; s < in_.sheets.size(); ++s) {
      // Everything on the sheet is right, but a paper leaf's path is not on it: mistyped ones go.
      std::vector<std::size_t> fixed;
      std::vector<std::vector<std::size_t>> papers;
      for (std::size_t i = 0; i < usable_.size(); ++i) {
        if (!usable_[i].on(s)) continue;
        if (usable_[i].paper) {
          papers.push_back({i});
        } else {
          fixed.push_back(i);
        }
      }
      if (fixed.empty() && papers.empty()) continue;
      trials = std::max<std::uint32_t>(trials, 1);  // One try a sheet is always due.
      const bool found = search_subsets(
          papers, fixed, papers.size(), trials,
          [&](const std::vector<std::size_t>& chosen) { return attempt(chosen, &in_.sheets[s]); });
      if (found) return s;
    }
    return std::nullopt;
  }

  void try_without_sheet() {
    std::vector<std::vector<std::size_t>> pools = off_sheet_pools();
    std::vector<std::size_t> planted;
    for (std::size_t i = 0; i < usable_.size(); ++i) {
      if (!usable_[i].sheets.empty()) planted.push_back(i);
    }
    std::uint32_t trials = in_.trials_max;
    for (const auto& pool : pools) {
      // Half of what is left for each way, so that one pool cannot use up the others' trials.
      if (search(pool, true, pool.size(), trials)) return mark_tried();
      if (search(pool, false, pool.size(), trials)) return mark_tried();
    }
    if (search(planted, false, kPlantedMax, trials)) mark_tried();
  }

  /// Off-sheet leaves by rank: the newest version of each record, the one before it, and so on.
  std::vector<std::vector<std::size_t>> off_sheet_pools() const {
    std::map<RecordId, std::vector<std::size_t>> records;
    std::vector<std::size_t> papers;
    for (std::size_t i = 0; i < usable_.size(); ++i) {
      if (!usable_[i].sheets.empty()) continue;
      if (usable_[i].paper) {
        papers.push_back(i);
      } else {
        records[usable_[i].leaf.record_id].push_back(i);
      }
    }
    std::vector<std::vector<std::size_t>> pools(kVersionRanks);
    for (auto& [id, versions] : records) {
      std::stable_sort(versions.begin(), versions.end(), [&](std::size_t a, std::size_t b) {
        return usable_[a].leaf.version > usable_[b].leaf.version;
      });
      for (std::size_t rank = 0; rank < std::min(versions.size(), kVersionRanks); ++rank) {
        pools[rank].push_back(versions[rank]);
      }
    }
    for (auto& pool : pools) {
      if (&pool == &pools.front() || !pool.empty()) {
        pool.insert(pool.end(), papers.begin(), papers.end());
      }
    }
    return pools;
  }

  /// Leaves out whole sessions, or single leaves.
  bool search(const std::vector<std::size_t>& pool, bool by_session, std::size_t left_out_max,
              std::uint32_t& trials) {
    if (pool.empty()) return false;
    std::vector<std::vector<std::size_t>> units;
    std::map<std::size_t, std::size_t> unit_of;  // Session to unit.
    for (const std::size_t i : pool) {
      const auto& answer = usable_[i].answer;
      if (!by_session || !answer) {
        units.push_back({i});
        continue;
      }
      const auto [entry, fresh] = unit_of.emplace(in_.answers[*answer].session, units.size());
      if (fresh) units.emplace_back();
      units[entry->second].push_back(i);
    }
    if (by_session && units.size() == pool.size()) return false;  // The same as leaf by leaf.
    std::uint32_t allowed = (trials + 1) / 2;
    trials -= allowed;
    const bool found = search_subsets(
        units, {}, left_out_max, allowed,
        [&](const std::vector<std::size_t>& chosen) { return attempt(chosen, nullptr); });
    trials += allowed;
    return found;
  }

  void mark_tried() {
    for (const auto& [leaf, factor] : root_->terms) {
      const auto& answer = usable_[leaf].answer;
      if (answer && out_.status[*answer] == AnswerStatus::off_sheet) {
        out_.status[*answer] = AnswerStatus::tried;
      }
    }
  }

  /// What the sheet that knows most leaves says.
  void report_progress() {
    for (std::size_t s = 0; s < in_.sheets.size(); ++s) {
      std::vector<std::size_t> chosen;
      for (std::size_t i = 0; i < usable_.size(); ++i) {
        if (usable_[i].on(s)) chosen.push_back(i);
      }
      if (chosen.size() <= out_.leaves_counted) continue;
      out_.leaves_counted = chosen.size();
      static_cast<void>(build_root(leaves_, chosen, &in_.sheets[s], &out_.groups_incomplete));
    }
  }

  /// s_i * E_j
  Result<Point> partial_of(const Usable& usable, std::size_t target) const {
    if (!usable.answer) {
      return in_.targets[target].ephemeral.times(in_.shares[usable.in_hand].share);
    }
    const CollectedAnswer& answer = in_.answers[*usable.answer];
    const Scalar& factor = in_.sessions[answer.session].blinding.factors[target];
    return parsed_[*usable.answer]->partials[target].times(factor.inverse());
  }

  Result<void> open(std::optional<std::size_t> sheet) {
    Opened opened{SecretPoint(root_->value), {}, sheet};
    for (std::size_t j = 0; j < in_.targets.size(); ++j) {
      opened.points.emplace_back();
      const crypto::ContainerCore& core = in_.targets[j];
      if (crypto::ycheck(core.core_salt, opened.recovery_key) != core.ycheck) continue;
      std::optional<Point> sum;
      for (const auto& [leaf, factor] : root_->terms) {
        // A factor is never zero: it is a product of Lagrange coefficients of distinct nonzero x.
        TRY(const Point partial, partial_of(usable_[leaf], j));
        TRY(const Point part, partial.times(factor));
        if (!sum) {
          sum = part;
        } else {
          TRY(sum, sum->plus(part));
        }
      }
      opened.points.back().emplace(*sum);
    }
    out_.opened = std::move(opened);
    return {};
  }

  /// Who answered badly, now that the sheet is known to be right.
  void judge(std::size_t sheet) {
    std::set<std::size_t> present;  // Sessions with a right answer.
    for (std::size_t i = 0; i < in_.answers.size(); ++i) {
      if (answer_is_on(i, sheet)) present.insert(in_.answers[i].session);
    }
    std::set<std::size_t> offline;
    for (std::size_t i = 0; i < in_.answers.size(); ++i) {
      const std::size_t session = in_.answers[i].session;
      switch (out_.status[i]) {
        case AnswerStatus::malformed:
          out_.blame.push_back({i, BlameReason::malformed});
          continue;
        case AnswerStatus::bad_proof:
          out_.blame.push_back({i, BlameReason::bad_proof});
          continue;
        default:
          break;
      }
      if (present.contains(session)) continue;
      // Proven, but not of this set's present versions.
      switch (staleness(i)) {
        case Staleness::stale:
          offline.insert(session);
          break;
        case Staleness::unknown_leaf:
          out_.blame.push_back({i, BlameReason::unknown_leaf});
          break;
        case Staleness::undecided:
          out_.undecided.push_back(i);
          break;
      }
    }
    out_.offline.assign(offline.begin(), offline.end());
  }

  bool answer_is_on(std::size_t index, std::size_t sheet) const {
    const AnswerStatus status = out_.status[index];
    if (status == AnswerStatus::malformed || status == AnswerStatus::bad_proof) return false;
    const LeafAnswer& leaf = *parsed_[index];
    return in_.sheets[sheet].has_leaf(
        {leaf.record_id, leaf.version, leaf.x_path, leaf.share_point});
  }

  enum class Staleness : std::uint8_t { stale, unknown_leaf, undecided };
  Staleness staleness(std::size_t index) const {
    for (std::size_t s = 0; s < in_.sheets.size(); ++s) {
      if (answer_is_on(index, s)) return Staleness::stale;
    }
    if (in_.known.empty()) return Staleness::undecided;
    const LeafAnswer& leaf = *parsed_[index];
    const auto known =
        std::find_if(in_.known.begin(), in_.known.end(),
                     [&](const KnownRecord& record) { return record.record_id == leaf.record_id; });
    const bool stale = known != in_.known.end() && known->version != leaf.version;
    return stale ? Staleness::stale : Staleness::unknown_leaf;
  }

  const Collected& in_;
  Combined out_;
  std::vector<std::optional<LeafAnswer>> parsed_;  ///< One for each answer.
  std::vector<Usable> usable_;
  std::vector<TreeLeaf> leaves_;  ///< Of usable_, index by index.
  std::optional<TreeRoot> root_;
};

}  // namespace

Result<Blinding> blind(const Targets& targets, Random& random) {
  if (targets.empty()) return fail(Errc::malformed, "nothing to open");
  if (targets.size() > limits::kPartialPointsMax) {
    return fail(Errc::limit_exceeded, "more than four targets at once");
  }
  Blinding blinding;
  for (const crypto::ContainerCore& target : targets) {
    blinding.factors.push_back(Scalar::random_nonzero(random));
    TRY(const Point blinded, target.ephemeral.times(blinding.factors.back()));
    blinding.blinded.push_back(blinded);
  }
  return blinding;
}

Result<Combined> combine(const Collected& collected) {
  return Combiner(collected).run();
}

}  // namespace kith::recovery
