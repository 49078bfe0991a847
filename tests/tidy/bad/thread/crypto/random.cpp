#include <mutex>

std::mutex only_secret_bytes_may;  // refused
