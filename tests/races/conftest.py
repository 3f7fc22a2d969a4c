"""Two server processes over one database, and the cast that races are about."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app.config import Settings
from tests.races.cast import Cast
from tests.races.history import History
from tests.services.gunicorn import Server
from tests.services.process import free_port


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Give the app that makes the cast the issuer of all servers."""
    return {"issuer": f"http://127.0.0.1:{free_port()}"}


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def cast(app: Flask, settings: Settings) -> Cast:
    return Cast(app, settings)


@pytest.fixture
def two_servers(serve: Callable[..., Server], settings: Settings) -> Callable[..., tuple[str, str]]:
    """Return a function that starts two processes with the same settings; gives their addresses."""

    def start(**values: Any) -> tuple[str, str]:
        issuer = settings.issuer
        first = serve(port=urlsplit(issuer).port, issuer=issuer, **values)
        second = serve(issuer=issuer, **values)
        return first.base_url, second.base_url

    return start
