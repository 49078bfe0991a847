bool enough(int have, int all) { return static_cast<double>(have) / all > 0.5; }  // refused
float weight = 1;                                                                 // refused
bool doubled(int x) { return x > 1; }
