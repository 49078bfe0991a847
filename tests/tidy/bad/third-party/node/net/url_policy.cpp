#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/asio.hpp>        // refused
#include <boost/beast/http.hpp>  // refused
