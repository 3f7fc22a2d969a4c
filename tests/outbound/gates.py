"""A registration gate on loopback with what asks it, and a question about one registrant.

Test files import its fixtures ``pauses`` and ``gate``.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.outbound import limits
from app.outbound.client import Outbound
from app.outbound.gate import Access, Gate, Question
from tests.services.gate import ScriptedServer, said, scripted

KEY = "c4n4ry-0123456789-key"
QUESTION = Question(
    "update",
    "/clients/c-1",
    {"client_name": "Registrant"},
    {"user-agent": "kit/1"},
    registration_id="c-1",
    evidence={"source": "dcr"},
    revision="r-1",
)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses between attempts; nobody really sleeps."""
    made: list[float] = []
    monkeypatch.setattr(limits, "pause", made.append)
    return made


@pytest.fixture
def gate(pauses: list[float]) -> Iterator[Callable[..., tuple[ScriptedServer, Gate]]]:
    """Return a function that starts a gate with answers and gives it with what asks it."""
    with scripted() as serve:

        def start(
            *answers: Any, outbound: Outbound | None = None, tls: Any = None, **access: Any
        ) -> tuple[ScriptedServer, Gate]:
            server = serve(*answers, tls=tls)
            chosen = {"url": server.url, "timeout_seconds": 2} | access
            return server, Gate(outbound or Outbound("Gatewright"), Access(**chosen))

        yield start


def allowing(**members: Any) -> bytes:
    """Write an answer that allows and says more."""
    return said(200, {"decision": "allow"} | members)
