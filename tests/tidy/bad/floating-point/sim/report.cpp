double mean(double sum, int count) { return sum / count; }
