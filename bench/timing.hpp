#pragma once

/// Timings as ratios: a block of the reference, then a block of the subject, many times over, so
/// that the machine's speed and its other work cancel out. The median of the pairs' ratios counts.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

namespace kith::bench {

using Work = std::function<void()>;

[[noreturn]] inline void give_up(const char* what) {
  std::fprintf(stderr, "the benchmark stopped: %s\n", what);
  std::exit(1);
}

/// Of one run, in a block of `runs`.
inline double microseconds(std::size_t runs, const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < runs; ++i) work();
  const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - begin;
  return taken.count() / static_cast<double>(runs);
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Timed {
  double ratio;    ///< Subject over reference.
  double time_us;  ///< Of the subject, for orientation.
};

struct Block {
  const Work& work;
  std::size_t runs;
};

inline Timed timed(std::size_t pairs, const Block& reference, const Block& subject) {
  std::vector<double> ratios, times;
  for (std::size_t i = 0; i < pairs; ++i) {
    const double unit = microseconds(reference.runs, reference.work);
    times.push_back(microseconds(subject.runs, subject.work));
    ratios.push_back(times.back() / unit);
  }
  return {median(ratios), median(times)};
}

}  // namespace kith::bench
