"""Owns when a client was last used: noted at most once in a few minutes, on the token path only."""

from sqlalchemy import update

from app.domain.client_records import Client
from app.extensions import db

TOUCH_SECONDS = 300
"""Last use is written at most once in so many seconds."""


def touch(client_id: str, now: int) -> None:
    """Note that a client got a token, at most once in a few minutes."""
    noted = last_touched.get(client_id, 0)
    if 0 <= now - noted < TOUCH_SECONDS:
        return
    db.session.execute(
        update(Client)
        .where(Client.client_id == client_id)
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )
    if len(last_touched) > 10_000:
        last_touched.clear()
    last_touched[client_id] = now


last_touched: dict[str, int] = {}
"""When this process last wrote the last use of a client; a crash costs a few minutes of it."""
