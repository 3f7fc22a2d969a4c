"""Owns the durable throttle of sign-in attempts, per account and per network."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Integer, String, case, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials, networks
from app.extensions import Base, db, insert_once

FREE_ATTEMPTS = {"account": 5, "network": 20}
"""Failures that cost nothing; each further one doubles the wait."""
LONGEST_WAIT_SECONDS = 900
FORGOTTEN_SECONDS = 3600
"""Failures older than this no longer count."""


class SignInThrottle(Base):
    """Failures of one account or network; survives restarts and is shared by all nodes."""

    __tablename__ = "sign_in_throttles"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[int] = mapped_column(BigInteger)
    blocked_until: Mapped[int] = mapped_column(BigInteger)


def keys(email: str, address: str) -> dict[str, str]:
    """Return the kinds of throttle and their keys; an unknown account has one like any other.

    An address is read as accounts are looked up by it: otherwise each spelling could be guessed at.
    """
    return {
        "account": credentials.digest("account\0" + email.strip().casefold()),
        "network": credentials.digest("address\0" + networks.network_of(address)),
    }


def device_keys(user_id: str, address: str) -> dict[str, str]:
    """Return the kinds of throttle and their keys for a person who types codes of devices."""
    return {
        "account": credentials.digest("device account\0" + user_id),
        "network": credentials.digest("device address\0" + networks.network_of(address)),
    }


def factor_keys(user_id: str, address: str) -> dict[str, str]:
    """Return the kinds of throttle and their keys for a person who types second factors."""
    return {
        "account": credentials.digest("factor account\0" + user_id),
        "network": credentials.digest("address\0" + networks.network_of(address)),
    }


def seconds_to_wait(throttle_keys: Iterable[str]) -> int:
    """Return how long these keys must wait, 0 when they need not."""
    until = db.session.scalars(
        select(SignInThrottle.blocked_until).where(SignInThrottle.key.in_(list(throttle_keys)))
    ).all()
    return max(0, max(until, default=0) - clock.epoch())


def note_failure(throttle_keys: dict[str, str]) -> None:
    """Count a failure for account and network, and make the next attempts wait."""
    now = clock.epoch()
    row = SignInThrottle
    for kind, key in throttle_keys.items():
        insert_once(row, key=key, failures=0, failed_at=now, blocked_until=0)
        fresh = case((row.failed_at < now - FORGOTTEN_SECONDS, 0), else_=row.failures)
        failures = db.session.scalar(
            update(row)
            .where(row.key == key)
            .values(failures=fresh + 1, failed_at=now)
            .returning(row.failures)
            .execution_options(synchronize_session=False)
        )
        excess = (failures or 0) - FREE_ATTEMPTS[kind]
        if excess > 0:
            wait = min(LONGEST_WAIT_SECONDS, 2 ** min(excess, 10))
            db.session.execute(
                update(row)
                .where(row.key == key)
                .values(blocked_until=now + wait)
                .execution_options(synchronize_session=False)
            )


def forget(key: str) -> None:
    """Forget the failures of an account after a success; those of the network stay."""
    db.session.execute(delete(SignInThrottle).where(SignInThrottle.key == key))
