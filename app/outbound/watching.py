"""Owns watching the way out: each request as it was sent, what came of it, and how long it took."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from app.outbound.client import Answer, Outbound
from app.outbound.errors import OutboundError, Reason

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, both with their credentials; without answer there is a reason."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    answer: Answer | None = field(repr=False)
    reason: Reason | None
    took_ms: int

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters of a form that was sent, none for another body."""
        is_form = self.headers.get("Content-Type") == FORM
        return dict(parse_qsl(self.content.decode())) if is_form else {}


class Watched(Outbound):
    """A way out that keeps what is sent on another one, for an operator who wants to see it."""

    def __init__(self, way: Outbound) -> None:
        """Watch; the turns, lookups and exceptions are those of the other one."""
        self.way, self.allow = way, way.allow
        self.exchanges: list[Exchange] = []

    def stranger(self, url: str, **request: Any) -> Answer:
        """Ask a URL that others gave, as the other one does."""
        return self._kept(self.way.stranger, url, request)

    def trusted(self, url: str, **request: Any) -> Answer:
        """Ask a URL that an operator set, as the other one does."""
        return self._kept(self.way.trusted, url, request)

    def _kept(self, ask: Callable[..., Answer], url: str, request: Mapping[str, Any]) -> Answer:
        answer, reason, began = None, None, time.monotonic()
        try:
            answer = ask(url, **request)
        except OutboundError as error:
            reason = error.reason
            raise
        finally:
            self.exchanges.append(
                Exchange(
                    request.get("method", "GET"),
                    url,
                    request.get("headers") or {},
                    request.get("content") or b"",
                    answer,
                    reason,
                    round((time.monotonic() - began) * 1000),
                )
            )
        return answer
