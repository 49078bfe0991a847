#include <mutex>

std::mutex allowed_by_a_row_with_a_reason;
