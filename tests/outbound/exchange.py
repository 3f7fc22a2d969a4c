"""What another server answers in tests, and how a test reads why the way out refused."""

from collections.abc import Callable
from typing import Any

import pytest

from app.outbound.errors import OutboundError

SENTENCE = "The other server could not be asked or gave no usable answer."


def reason_of(ask: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """Return why the way out refused; the public sentence is the same for everything."""
    with pytest.raises(OutboundError) as raised:
        ask(*arguments, **options)
    assert str(raised.value) == SENTENCE
    return raised.value.reason


def answer(head: str, body: bytes = b"{}") -> bytes:
    """Write an answer whose head may hold anything."""
    length = "" if "Transfer-Encoding" in head else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {head}\r\n{length}\r\n".encode() + body
