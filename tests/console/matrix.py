"""What every page family is held against: who may reach it, and that reading changes nothing."""

import sqlalchemy as sa

from app.domain import users
from app.extensions import db
from tests.console.markup import controls

VOLATILE = ("sessions", "sign_in_failures")
"""Tables that a look at a page may touch: the session notes that it is in use."""
EVERYWHERE = {"/logout", "/theme"}
"""Where the frame of every console page posts to."""


def rank(role):
    """Return how much a role may do."""
    return users.ROLES.index(role)


def become(app, person_id, role):
    """Give a signed-in person another role behind the back of the session."""
    with app.app_context():
        db.session.get(users.User, person_id).role = role
        db.session.commit()


def wrongly_reached(browser, token, role, routes):
    """Return the routes that a role reaches without right, or not although it may."""
    wrong = []
    for method, path, needed in routes:
        answer = browser.open(path, method=method, data={"csrf_token": token})
        if (answer.status_code == 403) != (rank(role) < rank(needed)):
            wrong.append((method, path, answer.status_code))
    return wrong


def unlisted(app, blueprint, routes):
    """Return the endpoints of a blueprint that no listed route leads to."""
    address = app.url_map.bind("gatewright.example")
    listed = {address.match(path.partition("?")[0], method)[0] for method, path, _ in routes}
    there = {rule.endpoint for rule in app.url_map.iter_rules()}
    return {name for name in there if name.startswith(f"{blueprint}.")} - listed


def gets(routes):
    """Return the paths that only show something."""
    return [path for method, path, _ in routes if method == "GET"]


def posts(routes):
    """Return the paths that change something."""
    return [path for method, path, _ in routes if method == "POST"]


def rows(app):
    """Return everything that is stored, but for what looking may touch."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in db.metadata.sorted_tables
            if table.name not in VOLATILE
        }


def harmful(app, browser, method, paths, status=200, **options):
    """Return the calls that answer with another status, and those that change what is stored."""
    before, wrong = rows(app), []
    for path in paths:
        answer = browser.open(path, method=method, **options)
        after = rows(app)
        changed = [table for table in before if after[table] != before[table]]
        if answer.status_code != status or changed:
            wrong.append((method, path, answer.status_code, changed))
    return wrong


def wrongly_shown(stranger, member, paths):
    """Return the pages that do not send strangers to sign in, or that a member may see."""
    wrong = []
    for path in paths:
        answer = stranger.get(path)
        by_htmx = stranger.get(path, headers={"HX-Request": "true"})
        sent_to_sign_in = (
            (answer.status_code, answer.location) == (303, f"/login?next={path}")
            and (by_htmx.status_code, by_htmx.text) == (401, "")
            and by_htmx.headers["HX-Redirect"].startswith("/login")
        )
        if not sent_to_sign_in or member.get(path).status_code != 403:
            wrong.append((path, answer.status_code, by_htmx.status_code))
    return wrong


def ways_to_act(page):
    """Return the addresses that the forms of a page post to, those of the frame left out."""
    return {found.get("action") for found in controls(page, "form", method="post")} - EVERYWHERE
