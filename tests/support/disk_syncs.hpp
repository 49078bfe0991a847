#pragma once

/// Counts the fdatasyncs of this process, and can make them fail: LevelDB calls the one that
/// stands here. Programs that include this get it instead of the C library's.

#include <cstddef>

namespace kith::test {

class DiskSyncs {
 public:
  DiskSyncs();
  ~DiskSyncs();  ///< The disk works again.
  DiskSyncs(const DiskSyncs&) = delete;
  DiskSyncs& operator=(const DiskSyncs&) = delete;

  [[nodiscard]] std::size_t count() const;  ///< Since this was made.
  void fail_from_now_on();                  ///< With EIO; what was written may be there or not.

 private:
  std::size_t before_;
};

}  // namespace kith::test
