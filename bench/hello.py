"""The smallest WSGI application that reads its body: what the server itself costs."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b'{"hello":"world"}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer every request alike."""
    environ["wsgi.input"].read()
    start_response("200 OK", HEADERS)
    return [BODY]
