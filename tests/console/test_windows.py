"""Lists are walked by keys in their addresses, which anybody can write."""

import re
from itertools import product

from app.domain.audit_tags import Tag
from tests.console.matrix import rows
from tests.console.rules import rule

FORGED = (
    "1 OR 1=1",
    "1.' OR '1'='1' --",
    "1);DROP TABLE clients;--",
    "1 UNION SELECT secret_digest FROM clients",
    "1 %",
    "' OR 1=1 -- x",
    "-1",
    "1e3",
    "\u0661",
    "9" * 40,
    "%",
)
ORDERS = ("sort=secret_digest", "order=1;DROP TABLE clients", "size=0;1")


def linked(page):
    """Return where the rows of a list lead, in its order."""
    return re.findall(r'row-link" href="([^"?]+)"', page)


def test_no_forged_key_or_order_shows_anything_else_or_changes_anything(
    viewer, register, record, save, app
):
    """X-55: keys are typed values, and an address names an order, never what it is made of."""
    for number in range(3):
        register(client_name=f"Software {number}", client_uri=f"https://{number}.example/")
        record(Tag.CODE_ISSUED)
        save(rule(f"Rule {number}"))
    before = rows(app)
    for path in ("audit/", "clients/", "registrations/", "policies/versions"):
        whole = linked(viewer.get(f"/admin/{path}").text)
        assert len(whole) >= 3, path
        orders = ("", "name", "-used") if path == "clients/" else ("",)
        for name in ("older", "newer"):
            for key, order in product(FORGED, orders):
                answer = viewer.get(f"/admin/{path}", query_string={name: key, "sort": order})
                assert answer.status_code == 200, (path, key)
                shown = linked(answer.text)
                assert set(shown) <= set(whole), (path, key, order)
                assert order or [each for each in whole if each in shown] == shown, (path, key)
        for order in ORDERS:
            assert linked(viewer.get(f"/admin/{path}?{order}").text) == whole, (path, order)
    assert rows(app) == before


def test_every_list_that_has_pages_lets_choose_how_many_rows_they_have(viewer, record, save):
    for number in range(27):
        record(Tag.CODE_ISSUED)
        save(rule(f"Rule {number}"))

    for path in ("audit/", "policies/versions"):
        assert len(linked(viewer.get(f"/admin/{path}").text)) == 25, path
        page = viewer.get(f"/admin/{path}?size=100").text
        assert 25 < len(linked(page)) <= 100, path
        assert f'href="/admin/{path}?size=50"' in page, path
        assert len(linked(viewer.get(f"/admin/{path}?size=7").text)) == 25, path
