"""Owns how pictures that strangers drew are answered: as pictures, and as nothing else."""

from flask import Response

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def picture(content: bytes, media_type: str, cache: str = "no-store") -> Response:
    """Return a picture under the type that its own bytes have (X-32); ``nosniff`` is on all."""
    response = Response(content, mimetype=media_type, headers=HEADERS)
    response.headers["Cache-Control"] = cache
    return response
