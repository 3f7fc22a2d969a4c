"""The loopback address at which a program on a person's computer waits for its code."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

PATH = "/callback"
DONE = b"<!doctype html><html lang=en><title>Done</title><h1>You can close this window</h1>"


class Callback:
    """Where the code arrives; ``uri`` is the redirect URI."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.uri = f"http://{self.host}{PATH}"
        self.arrived: queue.Queue[str] = queue.Queue()

    def take(self, seconds: float = 20) -> dict[str, str]:
        """Return what the next browser brings, one value for each name; raise when none comes."""
        url = self.take_url(seconds)
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
        assert len({name for name, _ in pairs}) == len(pairs), f"a name came twice: {url}"
        return dict(pairs)

    def take_url(self, seconds: float = 20) -> str:
        """Return the address that the next browser asks for."""
        return self.arrived.get(timeout=seconds)

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody has come who was not taken."""
        return self.arrived.empty()


@contextmanager
def listening() -> Iterator[Callback]:
    """Listen on a free port while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        """Notes who comes to the redirect URI; everything else is not there."""

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.path = f"{self.path}?{form}"
            self.do_GET()

        def do_GET(self) -> None:
            found = urlsplit(self.path).path == PATH
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(DONE)))
            self.end_headers()
            self.wfile.write(DONE)
            if found:
                callback.arrived.put(f"http://{callback.host}{self.path}")

        def log_message(self, *_facts: object) -> None:
            """Say nothing: the query holds a code."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        callback = Callback(server.server_address[1])
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield callback
        finally:
            server.shutdown()
            thread.join()
