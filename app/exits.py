"""Owns how a program of ours ends: the exit codes, and what is said about expected faults."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.config import ConfigurationError
from app.domain.errors import Refusal
from app.outbound import failures
from app.outbound.errors import OutboundError
from app.schema import WrongVersion

OK, REFUSED, USAGE, CONFIGURATION, DATABASE = range(5)
"""gunicorn gives up on a worker that ends with 3 or 4, and tries again after any other code."""

MEANINGS = {
    OK: "done",
    REFUSED: "refused; the sentence on stderr says why",
    USAGE: "wrong usage of the command",
    CONFIGURATION: "the configuration has faults; all of them are listed",
    DATABASE: "the database is unavailable or not at the version of this program",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How an expected fault ends the program."""

    code: int
    error: str
    sentences: tuple[str, ...]


def explain(fault: BaseException) -> Ending | None:
    """Return how an expected fault ends the program; None for a defect."""
    match fault:
        case Refusal():
            return Ending(REFUSED, fault.error, (f"{fault.description}{named(fault.facts)}",))
        case OutboundError():
            sentences = (" ".join(failures.of_error(fault)),)
            return Ending(REFUSED, fault.error or fault.reason, sentences)
        case ConfigurationError():
            return Ending(CONFIGURATION, "configuration", tuple(fault.faults))
        case WrongVersion():
            return Ending(DATABASE, "database_version", (str(fault),))
        case IntegrityError():
            sentence = "Somebody made the same change at the same moment; look at it again."
            return Ending(REFUSED, "conflict", (sentence,))
        case OperationalError() | InterfaceError():
            return Ending(DATABASE, "database_unavailable", (lost(fault.orig),))
        case PoolTimeout():
            return Ending(DATABASE, "database_unavailable", (lost(None),))
    return None


def named(facts: dict[str, object]) -> str:
    """Write what a refusal is about behind its sentence, in plain characters only."""
    shown = "; ".join(f"{name}: {value}" for name, value in facts.items() if value)
    return f" ({ascii(shown)[1:-1]})" if shown else ""


def lost(cause: BaseException | None) -> str:
    """Say that the database does not answer, and what its driver said in its first line."""
    said = str(cause or "").strip().splitlines()
    return "The database does not answer" + (f": {said[0]}" if said else ".")
