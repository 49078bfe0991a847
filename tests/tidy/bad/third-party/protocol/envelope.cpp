#include <openssl/evp.h>            // refused
#include <secp256k1.h>              // refused
#include <sodium.h>                 // refused
#include <boost/json.hpp>           // refused
#include <boost/system/result.hpp>  // refused
#include <msgpack.hpp>              // refused
#include <nlohmann/json.hpp>        // refused
#include <unistd.h>                 // refused
#include <vector>
