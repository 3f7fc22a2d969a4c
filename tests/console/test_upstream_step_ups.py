"""Step-ups of connections: what an API wants besides is shown, asked for together, or declined."""

import pytest

from app.domain import connection_grants, connection_step_ups, connections
from app.domain.connection_grants import SERVICE
from app.extensions import db
from app.outbound.upstream_trials import WANTS_MORE
from tests.console.conftest import csrf_of
from tests.console.markup import controls, texts
from tests.console.upstreaming import ACCESS
from tests.console.upstreaming import upstream as upstream
from tests.outbound.sites import PATH
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said, token_answer

OWN = "/connections/notes/"
MANY = " ".join(f"{number:0200}" for number in range(22))
"""Scopes in order that are longer together than can be kept."""
WANTED = "More access is wanted A call needs these scopes besides: {}"


def refuse(upstream, challenge, status=403):
    """Let the API refuse its token with a challenge."""
    header = f"WWW-Authenticate: Bearer {challenge}\r\n"
    upstream.api.pages[f"POST {PATH}"] = said(status, b"", "", header)


def want(upstream, owner, *scopes):
    """Note what is wanted of an owner, as clients of ours do; return what is noted then."""
    with upstream.app.app_context():
        row = connection_grants.find(connections.get("notes").id, owner)
        connection_step_ups.want(row, scopes)
        db.session.commit()
        return connection_grants.find(row.connection_id, owner).wanted_scope


def test_what_the_api_wants_besides_is_offered_and_asked_for_with_what_is_held(upstream, happened):
    upstream.authorized()
    refuse(upstream, 'error="insufficient_scope", scope="read admin"')

    tried = upstream.do("try")

    assert WANTS_MORE.sentence in texts(tried.text)
    for page in (tried, upstream.admin.get(upstream.page)):
        assert WANTED.format("admin") in texts(page.text)
        assert "Authorize with these too" in texts(page.text)
        policy = page.headers["Content-Security-Policy"]
        assert f"form-action 'self' {upstream.login.origin};" in policy
    assert upstream.begin()["scope"] == "read write"
    assert upstream.do("authorize", wanted="share").status_code == 409
    asked = upstream.asked_by(upstream.do("authorize", wanted="admin"))
    assert asked["scope"] == "read write admin"

    upstream.login.pages["POST /token"] = token_answer(ACCESS, scope="read admin")
    assert upstream.come_back(asked).location == upstream.page
    assert upstream.tokens().scopes == ("read", "admin")
    assert WANTED.format("") not in texts(upstream.admin.get(upstream.page).text)
    detail = happened("connection.authorized")[0].detail
    assert (detail["scopes_before"], detail["scopes"]) == (["read"], ["read", "admin"])


def test_an_operator_declines_and_the_login_keeps_what_it_has(upstream, viewer, happened):
    upstream.authorized()
    want(upstream, SERVICE, "admin")
    assert WANTED.format("admin") in texts(viewer.get(upstream.page).text)
    assert "Authorize with these too" not in viewer.get(upstream.page).text

    assert upstream.do("decline").location == upstream.page

    assert "More access is wanted" not in texts(upstream.admin.get(upstream.page).text)
    assert upstream.begin()["scope"] == "read write"
    assert happened("connection.declined")[0].detail == {"owner": "", "scope": "admin"}


@pytest.mark.parametrize(
    "challenge, status",
    [
        ('error="insufficient_scope", scope="read"', 403),
        ('error="insufficient_scope"', 403),
        ('scope="admin"', 403),
        ('error="insufficient_scope", scope="admin"', 500),
        (f'error="insufficient_scope", scope="{MANY}"', 403),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_refusal_that_names_no_scope_which_is_lacking_is_no_step_up(upstream, challenge, status):
    upstream.authorized()
    refuse(upstream, challenge, status)

    assert "More access is wanted" not in texts(upstream.do("try").text)
    assert want(upstream, SERVICE) is None


def test_a_person_gives_more_and_no_link_decides_what(upstream, member, people):
    upstream.ready()
    csrf = {"csrf_token": csrf_of(member.get("/login?again=yes").text)}
    first = upstream.asked_by(member.post(f"{OWN}authorize", data=csrf))
    assert upstream.come_back(first, member).location == OWN
    assert want(upstream, people["member"], "share") == "share"

    page = texts(member.get(OWN).text)
    assert "needs these scopes besides: share Authorize these too No, keep what it has" in page
    assert controls(member.get(OWN).text, name="wanted", value="share")
    way = f"{OWN}authorize?scope=admin&wanted=admin"
    assert member.post(way, data=csrf | {"wanted": "admin"}).status_code == 409
    asked = upstream.asked_by(member.post(way, data=csrf | {"scope": "admin", "wanted": "share"}))
    assert asked["scope"] == "read write share"

    upstream.login.pages["POST /token"] = token_answer(ACCESS, scope=asked["scope"])
    assert upstream.come_back(asked, member).location == OWN
    assert upstream.tokens(people["member"]).scopes == ("read", "write", "share")
    assert "Authorize again" in texts(member.get(OWN).text)
