#include "recovery/recognition_words.hpp"

#include "crypto/hash.hpp"
#include "recovery/ids.hpp"

namespace kith::recovery {
namespace {

constexpr std::array<std::string_view, 256> kWords{
    {"acorn",   "actor",   "album",   "amber",  "angel",   "ankle",   "apple",   "apron",
     "arch",    "arena",   "arrow",   "atlas",  "autumn",  "baker",   "balcony", "ball",
     "bamboo",  "banana",  "banjo",   "barn",   "basket",  "beach",   "bean",    "bear",
     "bell",    "bench",   "berry",   "bird",   "biscuit", "blanket", "boat",    "bonnet",
     "book",    "boot",    "bottle",  "bowl",   "branch",  "bread",   "brick",   "bridge",
     "broom",   "brush",   "bubble",  "bucket", "butter",  "button",  "cabin",   "cactus",
     "cake",    "camel",   "camera",  "candle", "canoe",   "carpet",  "carrot",  "castle",
     "cat",     "chain",   "chair",   "chalk",  "cheese",  "cherry",  "chess",   "circle",
     "circus",  "clay",    "clock",   "cloud",  "clover",  "coat",    "cobra",   "coffee",
     "coin",    "comet",   "copper",  "coral",  "corn",    "cotton",  "cradle",  "crane",
     "crayon",  "cricket", "crown",   "cup",    "curtain", "daisy",   "dancer",  "desert",
     "desk",    "diamond", "dolphin", "donkey", "door",    "dragon",  "drum",    "duck",
     "eagle",   "easel",   "echo",    "elbow",  "engine",  "falcon",  "farmer",  "feather",
     "fence",   "fern",    "fiddle",  "field",  "finger",  "flag",    "flame",   "flute",
     "fog",     "forest",  "fork",    "fossil", "fox",     "frog",    "fruit",   "galaxy",
     "garden",  "garlic",  "gate",    "ghost",  "giant",   "ginger",  "giraffe", "glass",
     "globe",   "glove",   "goat",    "grape",  "grass",   "guitar",  "hammer",  "harbor",
     "harp",    "hat",     "hawk",    "hazel",  "hedge",   "helmet",  "hill",    "honey",
     "horn",    "horse",   "house",   "ice",    "igloo",   "ink",     "iron",    "island",
     "ivory",   "jacket",  "jar",     "jelly",  "jewel",   "jungle",  "kettle",  "key",
     "king",    "kitchen", "kite",    "kitten", "knee",    "ladder",  "lake",    "lamp",
     "lantern", "leaf",    "lemon",   "letter", "lily",    "lion",    "lizard",  "magnet",
     "mango",   "map",     "marble",  "market", "meadow",  "melon",   "mirror",  "mitten",
     "monkey",  "moon",    "mouse",   "museum", "music",   "nail",    "napkin",  "needle",
     "nest",    "nickel",  "night",   "north",  "oak",     "oasis",   "ocean",   "olive",
     "onion",   "orange",  "orchid",  "otter",  "owl",     "oyster",  "paddle",  "palace",
     "panda",   "paper",   "parrot",  "peach",  "pearl",   "pencil",  "pepper",  "piano",
     "pillow",  "pilot",   "pine",    "pirate", "planet",  "plum",    "pocket",  "pond",
     "potato",  "pumpkin", "puzzle",  "queen",  "rabbit",  "radio",   "rain",    "raven",
     "ribbon",  "river",   "robin",   "rocket", "rose",    "ruby",    "saddle",  "sail",
     "scarf",   "school",  "shell",   "ship",   "shirt",   "silver",  "snail",   "snow",
     "spider",  "spoon",   "star",    "tiger",  "tower",   "train",   "tulip",   "violin"}};

}  // namespace

const std::array<std::string_view, 256>& word_list() {
  return kWords;
}

std::array<std::string, 4> recognition_words(std::string_view policy_address) {
  const Digest digest = crypto::digest(label("words"), {crypto::as_bytes(policy_address)});
  std::array<std::string, 4> words;
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = std::string(kWords[digest[i]]);
  return words;
}

}  // namespace kith::recovery
