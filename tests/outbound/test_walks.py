"""The asking of a discovery: its time, its bounds, and whose hosts it reaches."""

import json
import time

import pytest

from app.outbound import discovery, upstream_metadata, walks
from app.outbound.client import Outbound
from app.outbound.discovery import discover, discover_issuer
from app.outbound.walks import AWAY, UNUSABLE, Step
from tests.outbound.sites import OAUTH, OPENID, PATH, RESOURCE, found_at, server_document
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import refused as refused
from tests.outbound.sites import site as site
from tests.services.gate import drip, said, silent
from tests.services.process import free_port


def test_the_number_of_questions_is_bounded(api, login):
    """Each document that could be asked for is missing or useless, and there are many."""
    login.pages.clear()
    api.pages[f"POST {PATH}"] = api.pages.pop(f"GET {PATH}")
    api.pages["/about"] = said(404)
    servers = [f"{login.origin}/{number}" for number in range(50)]
    api.describe_resource(RESOURCE, api.origin, *servers)

    found = found_at(api, login)

    assert found.server is None
    assert len(found.resource.authorization_servers) == 50
    assert len(api.asked) + len(login.asked) == 2 + 3 + 3 * discovery.SERVERS_TRIED
    assert len(found.steps) == 14


def test_over_https_every_step_is_checked_as_any_other(site, authority):
    login = site(tls=authority.context())
    login.describe_server(f"{OAUTH}/tenant", f"{login.origin}/tenant")
    login.challenge("/mcp", f"Bearer resource_metadata={login.origin}/about")
    login.describe_resource("/about", f"{login.origin}/mcp", f"{login.origin}/tenant")
    options = {"allow": [login.name], "resolve": lambda _host, _port: ["127.0.0.1"]}

    url = f"https://Client.example:{login.port}/mcp"
    found = discover(Outbound("Gatewright", ca_file=authority.file, **options), url)

    assert found.server.issuer == f"{login.origin}/tenant"
    doubtful = discover(Outbound("Gatewright", **options), url)
    assert (doubtful.server, [step.reason for step in doubtful.steps]) == (None, ["tls"])


def test_an_operators_own_origin_may_be_private_and_what_it_names_is_a_strangers(api, login):
    """S-15."""
    url = api.url
    api.describe_resource("/about", url, api.origin)
    api.describe_server(OAUTH, api.origin)
    nowhere = Outbound("Gatewright")

    assert discover(nowhere, url, by="trusted").server.issuer == api.origin
    assert discover_issuer(nowhere, api.origin, by="trusted").server.issuer == api.origin
    assert discover(nowhere, url).server is None
    assert discover_issuer(nowhere, api.origin).server is None

    api.describe_resource("/about", url, login.origin)
    found = discover(nowhere, url, by="trusted")
    assert (found.server, login.asked) == (None, [])
    assert found.steps[1].conclusion == upstream_metadata.UNPROTECTED


def test_credentials_go_by_plain_http_to_this_machine_only(login):
    """A host that is allowed may be asked so, and what it names for credentials is refused."""
    issuer = f"http://client.example:{login.port}"
    login.describe_server(OAUTH, issuer)
    allowed = Outbound(
        "Gatewright",
        allow=[login.name, f"client.example:{login.port}"],
        resolve=lambda _host, _port: ["127.0.0.1"],
    )

    found = discover(allowed, f"{issuer}/mcp")

    assert (found.server, found.steps[-2].status) == (None, 200)
    assert found.steps[-2].conclusion == upstream_metadata.UNPROTECTED
    assert found.steps[-2].named == f"{issuer}/authorize"


def test_a_document_of_the_default_size_is_read_and_a_larger_one_is_not(api, login):
    document = json.dumps(server_document(login.origin)).encode()
    login.pages[OAUTH] = said(200, document + b" " * (65536 - len(document)))
    assert found_at(api, login).server.issuer == login.origin

    login.pages[OAUTH] = said(200, document + b" " * (65537 - len(document)))
    found = found_at(api, login)
    assert (found.server, found.steps[2].reason) == (None, "size")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("by", ["stranger", "trusted"])
def test_a_redirect_is_never_followed(api, login, refused, status, by):
    """S-06."""
    sends_away = said(status, extra=f"Location: {login.origin}{OPENID}\r\n")
    login.describe_server(OPENID, login.origin)
    api.pages[f"GET {PATH}"] = api.pages["/about"] = sends_away
    api.pages[f"POST {PATH}"] = api.pages[RESOURCE] = sends_away

    steps = refused(by=by)
    assert {step.conclusion for step in steps[:2]} == {UNUSABLE["redirect"]}
    assert [step.reason for step in steps].count("redirect") == 3
    assert login.asked == []


def test_a_redirecting_server_document_sends_to_the_next_place_only(api, login):
    login.pages[OPENID] = login.pages[OAUTH]
    login.pages[OAUTH] = said(302, extra=f"Location: {api.origin}/elsewhere\r\n")

    found = found_at(api, login)

    assert found.server.issuer == login.origin
    assert "GET /elsewhere" not in api.asked


@pytest.mark.parametrize("script", [silent, drip], ids=["silence", "drip"])
def test_a_server_that_hangs_is_left_at_once_and_in_time(api, login, refused, script, monkeypatch):
    """S-09: the other places and issuers of a host that hangs are not tried."""
    monkeypatch.setattr(walks, "REQUEST_SECONDS", 0.5)
    login.pages[OAUTH] = script
    issuers = (login.origin, f"{login.origin}/a", f"{login.origin}/b")
    api.describe_resource("/about", api.url, *issuers)

    begun = time.monotonic()
    steps = refused()

    assert time.monotonic() - begun < 4
    assert (steps[-1].reason, steps[-1].conclusion) == ("timeout", AWAY)
    assert login.asked == [f"GET {OAUTH}"]


def test_everything_ends_at_one_deadline(api, login, refused, site):
    """S-09: hosts that hang one after another share the time."""
    hanging = [site() for _ in range(3)]
    for each in hanging:
        each.pages[OAUTH] = silent
    api.describe_resource("/about", api.url, *(each.origin for each in hanging))

    begun = time.monotonic()
    steps = refused(*hanging, seconds=1)

    assert 0.9 < time.monotonic() - begun < 4
    assert [step.reason for step in steps[2:]] == ["timeout"] * 3
    assert [each.asked for each in hanging] == [[f"GET {OAUTH}"], [], []]


def test_an_api_that_is_away_is_asked_once():
    name = f"127.0.0.1:{free_port()}"

    found = discover(Outbound("Gatewright", allow=[name]), f"http://{name}/mcp")

    assert found.steps == (Step("GET", f"http://{name}/mcp", None, "network", AWAY),)


def test_a_server_that_is_away_does_not_hide_the_next_one(api, login):
    gone = f"127.0.0.1:{free_port()}"
    api.describe_resource("/about", api.url, f"http://{gone}", login.origin)

    found = discover(Outbound("Gatewright", allow=[gone, api.name, login.name]), api.url)

    assert found.server.issuer == login.origin
    assert [step.reason for step in found.steps] == [None, None, "network", None]


@pytest.mark.parametrize(
    "url, reason",
    [
        ("http://api.example/mcp", "scheme"),
        ("https://api.example:8443/mcp", "port"),
        ("https://127.0.0.1/mcp", "address"),
        ("https://169.254.169.254/latest", "url"),
        ("https://[::ffff:a00:1]/", "url"),
        ("https://0x7f000001/", "url"),
        ("https://localhost/mcp", "address"),
        ("https://intranet/mcp", "address"),
        ("https://ann:pass@api.example/mcp", "url"),
        ("https://api.example/mcp#x", "url"),
        ("https://api.example/a/../mcp", "url"),
        ("https://api.example/\r\nHost: x", "url"),
        ("https://private.example/mcp", "address"),
        ("file:///etc/passwd", "url"),
        ("", "url"),
    ],
)
def test_a_hostile_url_gets_no_further_than_one_step(url, reason):
    """S-01 to S-04, S-11."""
    outbound = Outbound("Gatewright", resolve=lambda _host, _port: ["8.8.8.8", "10.0.0.1"])

    found = discover(outbound, url)

    assert (found.server, found.steps) == (None, (Step("GET", url, None, reason, AWAY),))


def test_a_private_host_that_metadata_names_is_not_reached(api, login, refused):
    """N-218: what others name is a stranger's URL."""
    api.describe_resource("/about", api.url, "https://10.0.0.1", "https://intranet")

    assert [step.reason for step in refused()[2:]] == ["address", "address"]
