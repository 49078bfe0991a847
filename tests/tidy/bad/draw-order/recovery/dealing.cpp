void draws(Random& random, KeyOps& keys, Seen& seen) {
  auto id = random.bytes(16);
  auto salt = random.bytes(32);
  record(id, salt);
  record(random.bytes(16), random.bytes(32));          // refused
  pair(random.u64(), wrap(random.below(7)));           // refused
  pair(keys.generate(type, purpose), random.u64());    // refused
  pair(random.u64() ^ random.u64(), 1);                // refused
  join(point.bytes(), other.bytes());
  auto nested = random.below(random.below(7) + 1);
  Salts in_order{random.bytes(16), random.bytes(32)};
  each([&] { return random.u64(); }, [&] { return random.u64(); });
  if (random.below(2) == 0 && random.below(3) == 0) record(id, salt);
  pair(random.secret(32),
       random.secret(32));  // refused
}
