"""Owns calls of others' protected APIs: with which token, for whom, and how often."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.outbound.client import Answer
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline

RETRIES = 3
IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
"""Methods that may be sent twice (RFC 9110 section 9.2.2)."""
BUSY = (429, 502, 503, 504)
PASSING = ("busy", "dns", "network", "timeout")
"""Failures that may be over a moment later."""

_SECONDS = re.compile(r"[0-9]{1,9}")
_USER = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent to an API; ``user_id`` is the person for whom, if there is one."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    user_id: str = ""
    may_repeat: bool = False
    """Whether it does no harm to send it twice although its method is not idempotent."""

    def __post_init__(self) -> None:
        """Refuse what does not fit into a header."""
        if self.user_id and not _USER.fullmatch(self.user_id):
            raise ValueError("the user id must be printable ASCII without spaces")


class Tokens(Protocol):
    """Where tokens come from: a token manager, or the grant of a person."""

    def token(self, seconds: float) -> str:
        """Return a token that can be used; raises OutboundError."""

    def drop(self, token: str) -> None:
        """Forget a token that was refused."""


@dataclass(frozen=True, slots=True)
class Access:
    """How an API is asked, with whose tokens, and how long."""

    ask: Callable[..., Answer]
    """``trusted`` or ``stranger`` of the way out."""
    tokens: Tokens
    audit_header: str
    """Names the person of a call, for the records of the API only."""
    timeout_seconds: float = 10
    """For one attempt, and for a token."""
    deadline_seconds: float = 30
    """For all attempts, pauses and tokens together."""
    first_pause_seconds: float = 1
    """Before the second attempt; each further pause is twice as long."""


def make(access: Access, call: Call) -> Answer:
    """Return what an API answers, also when it refuses; raises OutboundError.

    An API that is busy or cannot be reached is asked again, at most ``RETRIES`` times. Without a
    token it is not asked at all, and the reason is ``token``.
    """
    return Attempts(access, call).settle()


class Attempts:
    """The attempts to make one call; they share a deadline and one new token."""

    def __init__(self, access: Access, call: Call) -> None:
        """Ask nothing yet."""
        self.access, self.call = access, call
        self.deadline = Deadline(access.deadline_seconds)
        self.may_renew = True
        self.retries = RETRIES if call.may_repeat or call.method in IDEMPOTENT else 0

    def settle(self) -> Answer:
        """Make the call until its answer is final; the last attempt gives whatever comes."""
        for made in range(self.retries):
            pause = self.access.first_pause_seconds * 2**made
            try:
                answer = self.send()
            except OutboundError as error:
                if error.reason not in PASSING or not self.deadline.wait(pause):
                    raise
                continue
            if answer.status not in BUSY or not self.deadline.wait(max(pause, asked_for(answer))):
                return answer
        return self.send()

    def send(self) -> Answer:
        """Send the call once, and once more with a new token when the first one is refused."""
        token = self.token()
        answer = self.send_with(token)
        if answer.status == 401 and self.may_renew:
            self.may_renew = False
            self.access.tokens.drop(token)
            answer = self.send_with(self.token())
        return answer

    def token(self) -> str:
        """Return what opens the API; raises OutboundError ``token`` when there is none."""
        seconds = self.deadline.step(self.access.timeout_seconds)
        try:
            return self.access.tokens.token(seconds)
        except OutboundError as error:
            raise OutboundError("token") from error

    def send_with(self, token: str) -> Answer:
        """Send the call; raises OutboundError, for a redirect too."""
        answer = self.access.ask(
            self.call.url,
            method=self.call.method,
            headers=self.headers(token),
            content=self.call.content,
            seconds=self.deadline.step(self.access.timeout_seconds),
        )
        if 300 <= answer.status < 400:
            raise OutboundError("redirect")
        return answer

    def headers(self, token: str) -> dict[str, str]:
        """Return the headers of the call, of which none names a person or proves us but ours."""
        name, user_id = self.access.audit_header, self.call.user_id
        ours = ("authorization", name.lower())
        headers = {
            each: said for each, said in self.call.headers.items() if each.lower() not in ours
        }
        if user_id:
            headers[name] = user_id
        return headers | {"Authorization": f"Bearer {token}"}


def asked_for(answer: Answer) -> int:
    """Return how many seconds an API wants to be left alone; a date counts as none."""
    said = answer.headers.get("retry-after", "")
    return int(said) if _SECONDS.fullmatch(said) else 0
