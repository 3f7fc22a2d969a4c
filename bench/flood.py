"""Measures what anonymous registrations leave behind: how long the queue takes, how much is stored.

    python bench/flood.py [--number 10000] [--url postgresql://…]

Registers the same software and then different software so many times each, with rate limits off,
and opens the first page of the queue as an approver sees it.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOOKS = 15
PASSWORD = "long enough for everybody"


def make_app(folder: str, url: str) -> Any:
    """Return an app over an empty database, or over the one of ``url``."""
    os.environ |= {"GATEWRIGHT_DATA_DIR": folder, "GATEWRIGHT_RATE_LIMIT_ENABLED": "false"}
    os.environ |= {"GATEWRIGHT_LOG_LEVEL": "error", "GATEWRIGHT_SECRET_KEY": "bench-only" * 4}
    if url:
        os.environ["GATEWRIGHT_DATABASE_URL"] = url
    sys.path.insert(0, str(ROOT))
    from app import create_app
    from app.domain import users
    from app.domain.audit import SERVER
    from app.extensions import db
    from app.serve import prepare

    app = create_app()
    prepare(app)
    with app.app_context():
        users.create(
            "bench@example.org",
            "approver",
            PASSWORD,
            app.extensions["gatewright.passwords"],
            by=SERVER,
        )
        db.session.commit()
    return app


def sign_in(app: Any) -> Any:
    """Return the browser of an approver."""
    browser = app.test_client()
    browser.environ_base["HTTP_REFERER"] = "http://127.0.0.1:8000/"
    page = browser.get("/login", base_url="http://127.0.0.1:8000").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "username": "bench@example.org", "password": PASSWORD}
    answer = browser.post("/login", data=form, base_url="http://127.0.0.1:8000")
    if answer.status_code != 303:
        raise SystemExit(f"the sign-in failed: {answer.status}")
    return browser


def register(app: Any, number: int, *, distinct: bool) -> float:
    """Register so many times, each time from another address; return milliseconds for one."""
    machine, began = app.test_client(), time.perf_counter()
    for turn in range(number):
        name = f"Flood {turn}" if distinct else "Flood"
        body = {"client_name": name, "redirect_uris": ["http://127.0.0.1/callback"]}
        address = f"198.18.{turn // 250 % 250}.{turn % 250}" if distinct else "198.18.0.1"
        answer = machine.post("/register", json=body, environ_base={"REMOTE_ADDR": address})
        if answer.status_code != 201:
            raise SystemExit(f"a registration failed: {answer.status} {answer.text}")
    return (time.perf_counter() - began) / number * 1000


def look(browser: Any) -> tuple[float, float]:
    """Open the queue a few times; return the median and the longest in milliseconds."""
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        page = browser.get("/admin/registrations/", base_url="http://127.0.0.1:8000")
        took.append((time.perf_counter() - began) * 1000)
        if page.status_code != 200:
            raise SystemExit(f"the queue does not open: {page.status}")
    return statistics.median(took), max(took)


def stored(app: Any) -> str:
    """Return how many rows and how many MiB there are."""
    from sqlalchemy import text

    from app.extensions import db

    with app.app_context():
        counts = {
            table: db.session.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("software", "clients", "audit_events")
        }
        if db.engine.dialect.name == "postgresql":
            size = db.session.scalar(text("SELECT pg_database_size(current_database())"))
        else:
            pages = db.session.scalar(text("PRAGMA page_count"))
            size = pages * db.session.scalar(text("PRAGMA page_size"))
    return ", ".join(f"{number} {name}" for name, number in counts.items()) + (
        f", {size / 2**20:.1f} MiB"
    )


def main() -> None:
    """Flood and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--url", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(folder, asked.url)
        browser = sign_in(app)
        print("| after | one took | the queue opens in | stored |")
        print("| --- | --- | --- | --- |")
        for distinct in (False, True):
            each = register(app, asked.number, distinct=distinct)
            median, longest = look(browser)
            kind = "distinct" if distinct else "identical"
            opens = f"{median:.0f} ms, at most {longest:.0f} ms"
            print(f"| {asked.number} {kind} | {each:.1f} ms | {opens} | {stored(app)} |")


if __name__ == "__main__":
    main()
