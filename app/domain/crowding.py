"""Owns how much undecided software one network may bring: no flood fills the queue (X-39)."""

from dataclasses import replace

from sqlalchemy import func, select

from app.domain import errors, networks, software
from app.domain.evidence import Evidence
from app.domain.software import Software
from app.extensions import db

RETRY_SECONDS = 3600
CROWDED = (
    "Too much software from this network waits for a decision: try again when some of it is"
    " decided, or ask the operators of this server for an initial access token."
)


def share_of(arrival: Evidence) -> str:
    """Return the network in whose share of the queue an arrival counts.

    It is empty for who came with an initial access token: operators have let them to the queue.
    """
    vouched = arrival.initial_access_token is not None or arrival.token_terms is not None
    return "" if vouched else networks.network_of(arrival.address)


def noted(arrival: Evidence, most: int) -> Evidence:
    """Return an arrival with the note whether so much software of its network waits already."""
    network = share_of(arrival)
    return replace(arrival, crowded=bool(network) and count(network, most) >= most)


def count(network: str, most: int) -> int:
    """Count the undecided software that was first seen from a network, at most so much."""
    waiting = select(Software.id).where(Software.network == network, Software.status == "pending")
    counted = select(func.count()).select_from(waiting.limit(most).subquery())
    return int(db.session.scalar(counted) or 0)


def check(arrival: Evidence, outcome: str, mark: str) -> None:
    """Raise TooManyRequests when an arrival would bring new software to a crowded queue."""
    if arrival.crowded and outcome == "hold" and software.find_by_fingerprint(mark) is None:
        raise errors.TooManyRequests(
            CROWDED,
            retry_after=RETRY_SECONDS,
            name=arrival.metadata.get("client_name", ""),
            network=share_of(arrival),
        )
