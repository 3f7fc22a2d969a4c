"""Owns the asking of one discovery: its time, its hosts, and each step for the operator to read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from app.domain import redirect_uris
from app.outbound import json_answers, targets, well_known
from app.outbound.client import JSON, Answer, Outbound
from app.outbound.errors import OutboundError, Reason
from app.outbound.limits import Deadline
from app.outbound.upstream_metadata import Fault, Members

REQUEST_SECONDS = 5
"""For one request; what is left for all of them may be less."""

AWAY = "It could not be asked; this host is not asked again."
UNUSABLE: dict[Reason, str] = {
    "encoding": "The answer is compressed, although that was not asked for.",
    "redirect": "It leads elsewhere; a redirect is never followed.",
    "size": "The answer is too large.",
}
"""What speaks against one answer only; after any other reason its host is left alone."""
ABSENT = "There is no document here."
NO_DOCUMENT = "The answer is no JSON document."

POSTED = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}

By = Literal["stranger", "trusted"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was asked, what answered, what follows; without a method nothing was asked.

    ``expected`` and ``named`` are what did not agree; the latter is others' text.
    """

    method: str
    url: str
    status: int | None
    reason: Reason | None
    conclusion: str
    expected: str = ""
    named: str = ""


class Walk:
    """A discovery under way; ``home`` is the URL that was given, asked as ``by`` says.

    Whatever is found elsewhere is asked as a stranger's URL.
    """

    def __init__(self, outbound: Outbound, home: str, by: By, seconds: float) -> None:
        """Ask nothing yet."""
        self.outbound, self.home, self.by = outbound, home, by
        self.deadline = Deadline(seconds)
        self.steps: list[Step] = []
        self.away: set[str] = set()

    def note(self, conclusion: str, expected: str = "", named: str = "") -> None:
        """Keep a step for which nothing was asked."""
        self.steps.append(Step("", "", None, None, conclusion, expected, named))

    def answered(
        self, method: str, url: str, status: int, conclusion: str, fault: Fault | None = None
    ) -> None:
        """Keep a step that was answered."""
        differing = (fault.expected, fault.named) if fault else ("", "")
        self.steps.append(Step(method, url, status, None, conclusion, *differing))

    def ask(self, method: str, url: str, content: bytes | None = None) -> Answer | None:
        """Return an answer; None when there is none, which a step explains, or its host is away."""
        host = redirect_uris.host_of(url)
        if host in self.away:
            return None
        try:
            return self._asked(method, url, content)
        except OutboundError as error:
            reason = error.reason
        if reason not in UNUSABLE:
            self.away.add(host)
        self.steps.append(Step(method, url, None, reason, UNUSABLE.get(reason, AWAY)))
        return None

    def first(
        self, places: Iterable[str], read: Callable[[Members], T | Fault], success: str
    ) -> T | Fault | None:
        """Return what the first document in order says, else what is wrong with the last one."""
        fault = None
        for url in places:
            members = self._document(url)
            found = None if members is None else read(members)
            if isinstance(found, Fault):
                self.answered("GET", url, 200, found.sentence, found)
                fault = found
            elif found is not None:
                self.answered("GET", url, 200, success)
                return found
        return fault

    def is_protected(self, url: str) -> bool:
        """Tell whether credentials may go to a URL: by https, or to an allowed port of ours."""
        try:
            target = targets.parse(url)
        except OutboundError:
            return False
        may_be_asked = target.name in self.outbound.allow or self._is_trusted(url)
        return target.scheme == "https" or (redirect_uris.is_loopback(url) and may_be_asked)

    def _document(self, url: str) -> dict[str, Any] | None:
        answer = self.ask("GET", url)
        if answer is None:
            return None
        try:
            return json_answers.read_document(answer)
        except OutboundError:
            sentence = NO_DOCUMENT if answer.status == 200 else ABSENT
            self.answered("GET", url, answer.status, sentence)
            return None

    def _asked(self, method: str, url: str, content: bytes | None) -> Answer:
        way = self.outbound.trusted if self._is_trusted(url) else self.outbound.stranger
        headers = JSON if content is None else POSTED
        seconds = self.deadline.step(REQUEST_SECONDS)
        answer = way(url, method=method, headers=headers, content=content, seconds=seconds)
        if 300 <= answer.status < 400:
            raise OutboundError("redirect")
        return answer

    def _is_trusted(self, url: str) -> bool:
        return self.by == "trusted" and well_known.same_origin(url, self.home)
