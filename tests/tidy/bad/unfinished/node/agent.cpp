// TODO: later  // refused
int value = 1;  // FIXME  // refused
const char* kTemplate = "/tmp/kith.XXXXXX";
