"""Owns sending events to webhook endpoints, signed as Standard Webhooks 1.0 says."""

import time
from dataclasses import dataclass, field

from app import clock
from app.domain import credentials, webhooks
from app.domain.webhooks import Outcome, Shipment
from app.outbound import targets
from app.outbound.client import Answer, Outbound
from app.outbound.errors import OutboundError

LONGEST_ANSWER = 500
QUOTABLE = 8
"""A shorter credential is found in any text."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the settings say about webhooks; header, token and keys are for their own endpoint."""

    timeout_seconds: float
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)


def check(outbound: Outbound, url: str) -> None:
    """Refuse a URL that an endpoint made in the console may not have; raises OutboundError."""
    target = targets.parse(url)
    if target.name not in outbound.allow:
        targets.check_strange(target)


def send(outbound: Outbound, access: Access, shipment: Shipment) -> Outcome:
    """Send an event once and return what became of it; no transaction may be open meanwhile."""
    from_settings = shipment.endpoint_id == webhooks.ENVIRONMENT
    ask = outbound.trusted if from_settings else outbound.stranger
    own = access.headers if from_settings else {}
    began = time.monotonic()
    try:
        answer = ask(
            shipment.url,
            method="POST",
            headers=own | signed(shipment, access.keys if from_settings else shipment.keys),
            content=shipment.body.encode(),
            seconds=access.timeout_seconds,
        )
    except OutboundError as error:
        return Outcome(error.reason, took_ms=since(began))
    failure = "" if 200 <= answer.status < 300 else "status"
    return Outcome(failure, answer.status, quoted(answer, own), since(began))


def signed(shipment: Shipment, keys: tuple[bytes, ...]) -> dict[str, str]:
    """Return the headers of a message: its identifier, the time, a signature for each key."""
    moment = str(clock.epoch())
    content = f"{shipment.delivery_id}.{moment}.{shipment.body}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": shipment.delivery_id,
        "webhook-timestamp": moment,
    }
    signatures = " ".join(f"v1,{credentials.sign(key, content)}" for key in keys)
    return headers | ({"webhook-signature": signatures} if signatures else {})


def quoted(answer: Answer, sent: dict[str, str]) -> str:
    """Return the beginning of an answer for operators to read, unless it quotes our credential."""
    text = answer.content.decode("utf-8", "replace")
    held = [value.removeprefix("Bearer ") for value in sent.values()]
    if any(len(value) >= QUOTABLE and value in text for value in held):
        return ""
    shown = (character if character.isprintable() else " " for character in text[:LONGEST_ANSWER])
    return "".join(shown)


def since(began: float) -> int:
    """Return the milliseconds since a moment of the monotonic clock."""
    return round((time.monotonic() - began) * 1000)
