"""Owns asking the registration gate: how often, for how long, as whom, and how many at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any, Literal

import orjson
import structlog

from app.config import Settings
from app.domain import client_metadata, credentials, gate_answers
from app.domain.evidence import Evidence
from app.domain.gate_answers import GateAnswer
from app.outbound import gate_replies
from app.outbound.client import Answer, Outbound
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.logins import Login, Sign
from app.outbound.shared_tokens import SharedTokens
from app.outbound.tokens import TokenManager

log = structlog.get_logger()

AT_ONCE = 4
"""Half the threads of a process: a gate that hangs leaves the others to those who need no gate."""
DEADLINE_SECONDS = 9
"""For all attempts together, because the clients that register give up after ten."""
FIRST_PAUSE_SECONDS = 0.5
QUOTABLE = 8
"""An answer that quotes our credential is not used; a shorter one is found in any text."""
FINAL = ("token", "credential")
"""Failures after which asking again is of no use."""

AuthType = Literal["none", "api_key", "bearer", "oauth2_client_credentials"]


@dataclass(frozen=True, slots=True)
class Question:
    """What the gate is asked about; ``source_api`` is the path that was called."""

    operation: Literal["register", "update", "delete"]
    source_api: str
    registration_payload: Mapping[str, Any]
    request_headers: Mapping[str, str]
    registration_id: str | None = None
    evidence: Mapping[str, Any] | None = None
    revision: str = ""
    """The hash of the whole metadata, which an approval binds to."""
    dry_run: bool = False
    """Whether an operator only tries the gate; nothing will come of its answer."""

    def as_json(self, question_id: str) -> dict[str, Any]:
        """Return what is sent; ``dry_run`` only when it is one."""
        asked = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if not self.dry_run:
            del asked["dry_run"]
        return {"asset_type": "client", "question_id": question_id} | asked


@dataclass(frozen=True, slots=True)
class Access:
    """Where the gate is and how this server proves itself there."""

    url: str
    auth_type: AuthType = "none"
    credential: str = field(default="", repr=False)
    header_name: str = "X-Api-Key"
    timeout_seconds: float = 5
    retries: int = 2
    login: Login | None = None


def payload(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of client metadata that the gate is shown, localised ones included."""
    return {
        name: metadata[name]
        for name in metadata
        if name.partition("#")[0] in client_metadata.MEMBERS
    }


def known(arrival: Evidence) -> dict[str, Any]:
    """Return what is known about an arrival besides its metadata."""
    return {name: value for name, value in arrival.as_json().items() if name != "metadata"}


class Gate:
    """The registration gate of one application."""

    def __init__(
        self, outbound: Outbound, access: Access, shared: SharedTokens | None = None
    ) -> None:
        """Ask nothing yet; ``shared`` holds what several processes need only once."""
        self.outbound, self.access = outbound, access
        self.places = BoundedSemaphore(AT_ONCE)
        self.tokens = TokenManager(outbound, access.login, shared) if access.login else None

    def ask(self, question: Question, *, retries: int | None = None) -> GateAnswer:
        """Return what the gate says; whatever goes wrong is an answer that refuses.

        At most ``DEADLINE_SECONDS`` pass. No transaction may be open meanwhile. Who finds all
        places taken is refused at once.
        """
        if not self.places.acquire(blocking=False):
            return told(question, 0, gate_answers.failed("busy"))
        try:
            return self._settle(question, self.access.retries if retries is None else retries)
        finally:
            self.places.release()

    def _settle(self, question: Question, retries: int) -> GateAnswer:
        attempts, made, failure = Attempts(self, question), 0, ""
        while made <= retries and failure not in FINAL:
            if made and not attempts.deadline.wait(FIRST_PAUSE_SECONDS * 2 ** (made - 1)):
                break
            made += 1
            try:
                return told(question, made, attempts.make())
            except OutboundError as error:
                failure = error.reason
        return told(question, made, gate_answers.failed(failure))

    def reach(self, seconds: float) -> None:
        """Find out whether something answers at the gate's URL; raises OutboundError."""
        self.outbound.trusted(self.access.url, method="HEAD", seconds=seconds)


class Attempts:
    """The attempts to have one question answered; they share a deadline and one new token."""

    def __init__(self, gate: Gate, question: Question) -> None:
        """Write the question once; a retry sends the same bytes."""
        self.gate, self.question_id = gate, credentials.new_id()
        self.deadline = Deadline(DEADLINE_SECONDS)
        self.may_renew = gate.tokens is not None
        self.content = orjson.dumps(question.as_json(self.question_id))

    def make(self) -> GateAnswer:
        """Ask once, and once more with a new token when the gate takes ours for a wrong one."""
        secret = self.credential()
        answer = self.post(secret)
        if answer.status == 401 and self.gate.tokens is not None:
            self.gate.tokens.drop(secret)
            if not self.may_renew:
                raise OutboundError("credential")
            self.may_renew = False
            secret = self.credential()
            answer = self.post(secret)
            if answer.status == 401:
                self.gate.tokens.drop(secret)
                raise OutboundError("credential")
        if len(secret) >= QUOTABLE and secret.encode() in answer.content:
            raise OutboundError("answer")
        return gate_replies.read(answer, self.question_id)

    def credential(self) -> str:
        """Return what proves us to the gate; raises OutboundError ``token`` when there is none."""
        if self.gate.tokens is None:
            return self.gate.access.credential
        try:
            return self.gate.tokens.token(self.seconds())
        except OutboundError as error:
            raise OutboundError("token") from error

    def post(self, secret: str) -> Answer:
        """Send the question."""
        access = self.gate.access
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if access.auth_type == "api_key":
            headers[access.header_name] = secret
        elif access.auth_type != "none":
            headers["Authorization"] = f"Bearer {secret}"
        return self.gate.outbound.trusted(
            access.url,
            method="POST",
            headers=headers,
            content=self.content,
            seconds=self.seconds(),
        )

    def seconds(self) -> float:
        """Return how long the next step may take; raises OutboundError at the deadline."""
        return self.deadline.step(self.gate.access.timeout_seconds)


def told(question: Question, attempts: int, answer: GateAnswer) -> GateAnswer:
    """Log what the gate said in one line, without anything that others wrote."""
    write = log.warning if answer.failure else log.info
    write(
        "registration_gate",
        operation=question.operation,
        decision=answer.decision,
        failure=answer.failure,
        attempts=attempts,
    )
    return answer


def of_settings(
    settings: Settings, outbound: Outbound, sign: Sign, shared: SharedTokens | None
) -> Gate | None:
    """Return the gate that the settings describe; None when it is switched off."""
    if not settings.registration_gate_enabled:
        return None
    auth_type: AuthType = settings.registration_gate_auth_type
    login = None
    if auth_type == "oauth2_client_credentials":
        login = Login(
            settings.registration_gate_oauth2_token_url,
            settings.registration_gate_oauth2_client_id,
            settings.registration_gate_oauth2_client_secret.get_secret_value(),
            settings.registration_gate_oauth2_scope,
            settings.registration_gate_oauth2_auth_method,
            sign=sign,
        )
    access = Access(
        settings.registration_gate_url,
        auth_type,
        settings.registration_gate_auth_credential.get_secret_value(),
        settings.registration_gate_auth_header_name,
        settings.registration_gate_timeout_seconds,
        settings.registration_gate_max_retries,
        login,
    )
    return Gate(outbound, access, shared)
