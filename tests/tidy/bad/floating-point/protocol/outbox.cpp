double backoff = 1.5;  // refused
