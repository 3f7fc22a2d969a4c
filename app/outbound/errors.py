"""Owns the one refusal of the way out; its sentence never says what is open behind this server."""

from typing import Literal

Reason = Literal[
    "address",
    "answer",
    "busy",
    "credential",
    "dns",
    "encoding",
    "metadata",
    "network",
    "port",
    "protocol",
    "redirect",
    "scheme",
    "size",
    "timeout",
    "tls",
    "token",
    "url",
]


class OutboundError(Exception):
    """Raised when another server was not asked or gave no usable answer.

    ``reason`` is one word for the operators' log, ``error`` the OAuth error code of the answer if
    that is a known one; the sentence is the same for all of them.
    """

    def __init__(self, reason: Reason, error: str = "") -> None:
        """Say the constant sentence and keep the reason."""
        super().__init__("The other server could not be asked or gave no usable answer.")
        self.reason: Reason = reason
        self.error = error
