"""What the browser tests share: one server, and for each test people and an app of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.site import AppRequest, Site, running_site
from tests.conftest import is_fault
from tests.flows.person import Person
from tests.services.callback import Callback, listening


@pytest.fixture(scope="session")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run one server for this test process; a file may have one for each test instead."""
    with running_site(sqlite_template, tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def member(site: Site) -> Person:
    return site.add("member")


@pytest.fixture
def approver(site: Site) -> Person:
    return site.add("approver")


@pytest.fixture
def callback() -> Iterator[Callback]:
    """Listen where the app waits for its code."""
    with listening() as waiting:
        yield waiting


@pytest.fixture
def asked(site: Site, callback: Callback) -> AppRequest:
    """Return the request of an app that nobody has decided about."""
    return site.register(callback.uri)


@pytest.fixture
def another_page(browser: Any) -> Iterator[Callable[[], Page]]:
    """Return a function that opens a page in one more profile, watched like ``page``."""
    errors: list[str] = []
    with ExitStack() as contexts:

        def open_one() -> Page:
            context = browser.new_context()
            contexts.callback(context.close)
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda said: errors.append(said.text) if is_fault(said) else None)
            return page

        yield open_one
    assert errors == []
