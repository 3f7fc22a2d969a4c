"""Owns people's passwords: what is accepted, and argon2id with bounded concurrency."""

from functools import lru_cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.domain import errors

SHORTEST, LONGEST = 12, 256
COMMON = frozenset(
    (
        "123456789012",
        "1234567890123",
        "administrator",
        "changemechangeme",
        "iloveyouiloveyou",
        "letmeinletmein",
        "passwordpassword",
        "password1234",
        "password12345",
        "qwertyqwerty",
        "qwertyuiop12",
        "qwertyuiopasdfgh",
    )
)
WAIT_SECONDS = 5


@lru_cache
def dummy_hash(memory_kib: int) -> str:
    """Return a hash that no password has, made once in a process."""
    return PasswordHasher(time_cost=2, memory_cost=memory_kib, parallelism=1).hash(
        "a password that nobody has"
    )


class Passwords:
    """Hashes and verifies passwords, at most ``concurrency`` at a time in this process."""

    def __init__(self, memory_kib: int, concurrency: int) -> None:
        """Prepare argon2id with one lane."""
        self.hasher = PasswordHasher(time_cost=2, memory_cost=memory_kib, parallelism=1)
        self.slots = BoundedSemaphore(concurrency)
        self.dummy = dummy_hash(memory_kib)

    def hash(self, password: str) -> str:
        """Return the encoded argon2id hash of a password."""
        with self.slots:
            return self.hasher.hash(password)

    def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether a password is right; None costs as much time and is always wrong.

        Raises TooManyRequests when all slots stay busy, so that a flood of sign-ins cannot take
        the memory of the process.
        """
        if not self.slots.acquire(timeout=WAIT_SECONDS):
            raise errors.TooManyRequests(
                "Too many people are signing in at this moment; try again in a few seconds.",
                retry_after=WAIT_SECONDS,
            )
        try:
            self.hasher.verify(encoded or self.dummy, password[: LONGEST * 4])
        except (VerificationError, InvalidHashError):
            return False
        finally:
            self.slots.release()
        return encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self.hasher.check_needs_rehash(encoded)


def check(password: str, email: str) -> None:
    """Refuse a password that is short, common or made of what everybody knows."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise errors.InvalidRequest("A password has 12 to 256 characters.")
    plain = password.casefold()
    known = {email.casefold(), email.partition("@")[0].casefold() * 2, "gatewright" * 2}
    if plain in COMMON or plain in known or len(set(plain)) < 4:
        raise errors.InvalidRequest("This password is too easy to guess; choose another one.")
