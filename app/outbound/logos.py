"""Owns the fetching of logos: from where strangers say, once, when an operator asks for it."""

from app.domain.raster_images import LARGEST_BYTES, REFUSED
from app.outbound import failures
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError

ACCEPTED = {"Accept": "image/png, image/webp, image/jpeg"}
SECONDS = 5
SENTENCES = {
    "answer": "It answered another status than 200.",
    "redirect": "It leads elsewhere, and redirects are not followed.",
    "size": REFUSED,
}


def fetch(outbound: Outbound, uri: str) -> bytes:
    """Return what is at an address; raises OutboundError; its declared type is no matter."""
    answer = outbound.stranger(uri, headers=ACCEPTED, seconds=SECONDS, maximum_bytes=LARGEST_BYTES)
    if answer.status != 200:
        raise OutboundError("answer")
    return answer.content


def explain(error: OutboundError) -> str:
    """Say to an operator why there is no logo."""
    return SENTENCES.get(error.reason, failures.of_error(error).sentence)
