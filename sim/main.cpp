// kith-sim: the simulator at the command line. Exit code 1 when something that must hold did not.

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/scenario.hpp"

namespace {

constexpr const char* kUsage =
    "kith-sim run setup-and-recover [--seed S | --seeds A..B] [--nodes N]\n"
    "            [--trustees M] [--threshold K] [--faults] [--cover] [--jobs J | --trace]\n"
    "  --seed S      one run (default 1)\n"
    "  --seeds A..B  one run for each seed\n"
    "  --nodes N     people in the town (default 40)\n"
    "  --trustees M  friends that each person asks (default 5)\n"
    "  --threshold K how many of them are needed (default 3)\n"
    "  --faults      draw faults from the seed\n"
    "  --cover       all runs together must have met every kind of fault, in every phase\n"
    "  --jobs J      so many runs side by side (default 1, at most 64); the output is the same\n"
    "  --trace       print every event\n";

constexpr std::uint64_t kJobsMax = 64;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  std::uint64_t people = 40;
  std::uint64_t trustees = 5;
  std::uint64_t threshold = 3;
  std::uint64_t jobs = 1;
  bool cover = false;
  bool faults = false;
  bool trace = false;
};

bool read_number(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_range(std::string_view text, Options& options) {
  const std::size_t dots = text.find("..");
  return dots != std::string_view::npos && read_number(text.substr(0, dots), options.first) &&
         read_number(text.substr(dots + 2), options.last) && options.first <= options.last;
}

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  int at = 1;
  if (at >= argc || std::string_view(argv[at++]) != "run") return std::nullopt;
  if (at < argc && std::string_view(argv[at]) == "setup-and-recover") ++at;
  for (; at < argc; ++at) {
    const std::string_view name = argv[at];
    if (name == "--faults") {
      options.faults = true;
    } else if (name == "--cover") {
      options.cover = true;
    } else if (name == "--trace") {
      options.trace = true;
    } else if (at + 1 >= argc) {
      return std::nullopt;
    } else if (name == "--seed") {
      if (!read_number(argv[++at], options.first)) return std::nullopt;
      options.last = options.first;
    } else if (name == "--seeds") {
      if (!read_range(argv[++at], options)) return std::nullopt;
    } else if (name == "--trustees") {
      if (!read_number(argv[++at], options.trustees)) return std::nullopt;
    } else if (name == "--threshold") {
      if (!read_number(argv[++at], options.threshold)) return std::nullopt;
    } else if (name == "--jobs") {
      if (!read_number(argv[++at], options.jobs)) return std::nullopt;
    } else if (name == "--nodes") {
      if (!read_number(argv[++at], options.people)) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  if (options.people <= options.trustees || options.people > 100) return std::nullopt;
  if (options.jobs < 1 || options.jobs > kJobsMax) return std::nullopt;
  if (options.trace && options.jobs != 1) return std::nullopt;
  if (options.threshold < 2 || options.threshold > options.trustees) return std::nullopt;
  return options;
}

kith::sim::RunReport run(const Options& options, std::uint64_t seed) {
  kith::sim::RunPlan plan;
  plan.seed = seed;
  plan.people = options.people;
  plan.trustees = options.trustees;
  plan.threshold = options.threshold;
  plan.faults = options.faults;
  if (options.trace) {
    plan.on_trace = [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stdout); };
  }
  return kith::sim::run_setup_and_recover(plan);
}

/// The runs of all seeds, `jobs` at a time, and their reports in the order of the seeds. A run
/// shares nothing with another: each has a world of its own.
class Runs {
 public:
  explicit Runs(const Options& options) : options_(options), next_(options.first) {
    const std::uint64_t jobs = std::min(options.jobs, options.last - options.first + 1);
    for (std::uint64_t job = 0; job < jobs; ++job) workers_.emplace_back([this] { work(); });
  }

  /// Waits for it. Each seed once.
  kith::sim::RunReport report(std::uint64_t seed) {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return reports_.contains(seed); });
    return std::move(reports_.extract(seed).mapped());
  }

 private:
  void work() {
    for (std::uint64_t seed = next_++; seed <= options_.last; seed = next_++) {
      kith::sim::RunReport report = run(options_, seed);
      const std::lock_guard lock(mutex_);
      reports_.emplace(seed, std::move(report));
      finished_.notify_all();
    }
  }

  const Options& options_;
  std::atomic<std::uint64_t> next_;
  std::mutex mutex_;
  std::condition_variable finished_;
  std::map<std::uint64_t, kith::sim::RunReport> reports_;
  std::vector<std::jthread> workers_;  ///< Last, so that they end first.
};

void print(const kith::sim::RunReport& report) {
  std::printf("  trace   %s\n", report.trace_hash.c_str());
  std::printf("  events  %llu in %.1f days\n", static_cast<unsigned long long>(report.events),
              static_cast<double>(report.lasted.count()) / 86'400'000.0);
  for (const auto& [name, times] : report.marks) {
    std::printf("  %-28s %llu\n", name.c_str(), static_cast<unsigned long long>(times));
  }
  for (const std::string& finding : report.findings) std::printf("  BROKEN  %s\n", finding.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = read_options(argc, argv);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  bool good = true;
  kith::sim::World::Marks all;
  Runs runs(*options);
  for (std::uint64_t seed = options->first; seed <= options->last; ++seed) {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    const auto report = runs.report(seed);
    print(report);
    std::fflush(stdout);
    good = good && report.findings.empty();
    for (const auto& [name, times] : report.marks) all[name] += times;
  }
  if (options->cover) {
    for (const std::string& missing : kith::sim::missing_coverage(all)) {
      std::printf("COVERAGE  %s\n", missing.c_str());
      good = false;
    }
  }
  std::printf("%s\n", good ? "all held" : "something broke");
  return good ? 0 : 1;
}
