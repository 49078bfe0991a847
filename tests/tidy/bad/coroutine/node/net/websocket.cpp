awaitable<void> safe_forms(Request request, Socket socket, bool ready) {
  co_await send(std::move(request));
  co_await timer_.async_wait(asio::use_awaitable);
  auto executor = co_await asio::this_coro::executor;
  Result<Reply> reply = co_await socket->read<Frame>(limit);
  const auto [error, count] = co_await read_some(socket);
  if (ready) co_await flush(socket);
  for (const Frame& frame : reply->frames) {
    co_await write(frame);
  }
  // if (co_await ready()) in a comment is fine.
}

awaitable<int> passes_on() { co_return co_await safe_forms_too(1); }

awaitable<int> unsafe_forms(Request request, int x) {
  if (co_await ready()) co_return 1;                 // refused
  while (!co_await ready()) x += 1;                  // refused
  switch (co_await kind()) {                         // refused
    default:
      break;
  }
  x = co_await number();                             // refused
  int sum = 1 + co_await number();                   // refused
  int late = co_await number() + 1;                  // refused
  Pair pair{co_await number(), x};                   // refused
  use(co_await number());                            // refused
  co_await send({.to = x, .body = 2});               // refused
  co_await send(Request{x});                         // refused
  co_await run([request] { return request.id; });    // refused
  auto both = co_await (first(x) || second(x));      // refused
  bool chosen = x > 0 ? co_await ready() : false;    // refused
  co_return co_await number() == 60;                 // refused
}
