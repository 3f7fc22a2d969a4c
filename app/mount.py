"""Owns where things are: the folders beside the package, the paths of machines, the issuer's."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WELL_KNOWN = "/.well-known/"
MACHINE_PATHS = (
    WELL_KNOWN,
    "/backchannel_logout/",
    "/clients",
    "/device_authorization",
    "/introspect",
    "/livez",
    "/par",
    "/readyz",
    "/register",
    "/revoke",
    "/token",
    "/userinfo",
)


def folder(name: str) -> Path:
    """Return a data folder: inside the package in a wheel, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    inside = here / name
    return inside if inside.is_dir() else here.parent / name


class IssuerPath:
    """Serves the application under the path of the issuer.

    Outside that path only the well-known documents exist, whose path comes before the issuer's
    (RFC 8414 section 3.1).
    """

    def __init__(self, application: "WSGIApplication", issuer: str) -> None:
        """Remember the path, empty for an issuer at the root."""
        self.application = application
        self.prefix = urlsplit(issuer).path

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Move the prefix from PATH_INFO to SCRIPT_NAME."""
        path = environ.get("PATH_INFO", "")
        if self.prefix:
            if path == self.prefix or path.startswith(self.prefix + "/"):
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self.prefix
                environ["PATH_INFO"] = path[len(self.prefix) :] or "/"
            elif not path.startswith(WELL_KNOWN):
                environ["PATH_INFO"] = WELL_KNOWN
        return self.application(environ, start_response)
