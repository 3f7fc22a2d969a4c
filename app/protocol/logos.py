"""Owns the logos that pages for people show, from this server alone (N-197)."""

from flask import Blueprint, Response

from app.domain import errors, software_logos
from app.pictures import picture

bp = Blueprint("logos", __name__, url_prefix="/logos")
FOREVER = "public, max-age=31536000, immutable"
"""The address is the digest of the bytes, which is nowhere told before people are shown them."""


@bp.get("/<digest>")
def show_logo(digest: str) -> Response:
    """Answer a logo that an operator lets people see; of all others nothing is said."""
    found = software_logos.find_public(digest)
    if found is None:
        raise errors.NotFound("There is no logo at this address.")
    return picture(found.content, found.media_type, FOREVER)
