#pragma once

#include <boost/json/value.hpp>
#include <boost/asio/awaitable.hpp>  // refused
