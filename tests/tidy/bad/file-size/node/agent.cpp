// One line over the limit.  // refused
// repeat 700
int declared();
