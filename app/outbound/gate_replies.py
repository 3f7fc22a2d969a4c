"""Owns the reading of what the registration gate answered over HTTP."""

import re
from typing import Any

from app.domain import gate_answers
from app.domain.gate_answers import GateAnswer
from app.outbound import json_answers
from app.outbound.client import Answer
from app.outbound.errors import OutboundError

DECISIONS = ("allow", "hold", "deny")
KNOWN = {"decision", "reason", "scopes", "expires_in", "question_id"}
UNCLEAR = "Its answer holds no decision that this server knows."
SCOPES = 100

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")


def read(answer: Answer, question_id: str) -> GateAnswer:
    """Return what an answer decides; raises OutboundError when that cannot be told.

    200 allows, and a JSON object in it may be stricter; 403 denies.
    """
    if answer.status == 403:
        return GateAnswer("deny", gate_answers.sanitised(message(answer)))
    if answer.status != 200:
        raise OutboundError("answer")
    if not json_answers.is_json(answer):
        return GateAnswer("allow")
    return decided(json_answers.read_object(answer.content), question_id)


def message(answer: Answer) -> str:
    """Return what a denial says: the member ``error`` of a JSON object, else the body."""
    try:
        said = json_answers.read_object(answer.content).get("error")
    except OutboundError:
        said = None
    return said if isinstance(said, str) else answer.content.decode("utf-8", "ignore")


def decided(found: dict[str, Any], question_id: str) -> GateAnswer:
    """Return what a JSON object decides; one that says only what we do not know holds."""
    unclear = "decision" not in found and not found.keys() <= KNOWN
    decision: Any = "hold" if unclear else found.get("decision", "allow")
    reason = found.get("reason", UNCLEAR if unclear else "")
    expires_in = found.get("expires_in", 1)
    right = (
        decision in DECISIONS
        and isinstance(reason, str)
        and type(expires_in) is int
        and expires_in > 0
        and found.get("question_id", question_id) == question_id
    )
    if not right:
        raise OutboundError("answer")
    return GateAnswer(
        decision,
        gate_answers.sanitised(reason),
        scopes=scopes(found["scopes"]) if "scopes" in found else None,
        expires_in=min(expires_in, gate_answers.LONGEST_SECONDS) if "expires_in" in found else None,
    )


def scopes(value: object) -> tuple[str, ...]:
    """Return a list of scope names (RFC 6749 section 3.3); raises OutboundError."""
    if not isinstance(value, list) or len(value) > SCOPES:
        raise OutboundError("answer")
    if not all(isinstance(each, str) and _SCOPE.fullmatch(each) for each in value):
        raise OutboundError("answer")
    return tuple(dict.fromkeys(value))
