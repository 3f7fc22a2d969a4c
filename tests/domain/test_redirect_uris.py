import json
import random
import subprocess
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain import errors, redirect_uris
from tests.corpora.client_registrations import REGISTRATIONS
from tests.corpora.hostile_hosts import AUTHORITIES
from tests.corpora.hostile_redirect_uris import PATHS, SCHEMES
from tests.services import node

EDITORS = frozenset(redirect_uris.KNOWN_EDITORS)
ACCEPTED = [
    "https://client.example",
    "https://client.example/",
    "https://client.example:8443/cb?tenant=1",
    "https://Client.Example/CB",
    "https://client.example/a//b;x=1/...;/c%2Fd",
    "https://client.example/?codes=1&State=2&is=3",
    "https://xn--bcher-kva.example/cb",
    "https://10.1.2.3/cb",
    "https://192.168.0.1:8443/cb",
    "https://[2001:db8:1:2:3:4:5:6]/cb",
    "https://[fd00::1]:8443/cb",
    "https://localhost:8443/cb",
    "http://127.0.0.1",
    "http://127.0.0.1/",
    "http://127.0.0.1:65535/cb?x=1",
    "http://[::1]:1/cb",
    "http://localhost/cb",
    "com.example.app:/cb",
    "com.example.app://oauth_callback/cb?x=1",
    "com.googleusercontent.apps.1234-abc:/oauth2redirect",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "vscode://vscode.github-authentication/did-authenticate",
]
HOSTILE_URIS = [
    row.body["redirect_uris"][0]
    for row in [*SCHEMES, *AUTHORITIES, *PATHS]
    if isinstance(row.body, dict) and "application_type" not in row.body
]
CHARACTERS = st.text("abz019.:/?#[]@!$&'()*+,;=%-_~\\ |\t\u00e9xX2eEfF", max_size=30)
LIKELY = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "com.example.app:", "com.example.app://", "cursor://"]),
    st.sampled_from(["client.example", "127.0.0.1", "[::1]", "localhost", "xn--bcher-kva.a", ""]),
    st.sampled_from(["", ":1", ":8080", ":080", "/", "/cb", "?", "/a%2Fb"]),
    CHARACTERS,
)


def accepted(uri: str) -> bool:
    try:
        redirect_uris.validate(uri, private_use_schemes=EDITORS)
    except errors.InvalidRedirectURI:
        return False
    return True


@pytest.mark.parametrize("uri", ACCEPTED)
def test_a_harmless_redirect_uri_comes_back_byte_for_byte(uri: str) -> None:
    assert redirect_uris.validate(uri, private_use_schemes=EDITORS) == uri


def test_a_hostile_redirect_uri_is_refused(subtests: pytest.Subtests) -> None:
    for uri in [*HOSTILE_URIS, "https://client.example/\ud800"]:
        with subtests.test(ascii(uri)):
            with pytest.raises(errors.InvalidRedirectURI) as refusal:
                redirect_uris.validate(uri, private_use_schemes=EDITORS)
            assert refusal.value.status_code == 400
            assert str(refusal.value.description).startswith("A redirect URI m")


@pytest.mark.parametrize("scheme", sorted(redirect_uris.NEVER_SCHEMES))
def test_no_setting_allows_a_dangerous_scheme(scheme: str) -> None:
    with pytest.raises(errors.InvalidRedirectURI):
        redirect_uris.validate(
            f"{scheme}://client.example/cb", private_use_schemes=frozenset({scheme})
        )


def test_a_scheme_without_a_dot_needs_the_setting() -> None:
    uri = "cursor://anysphere.cursor-mcp/oauth/callback"
    with pytest.raises(errors.InvalidRedirectURI):
        redirect_uris.validate(uri, private_use_schemes=frozenset())


def test_a_web_application_has_no_private_use_scheme() -> None:
    with pytest.raises(errors.InvalidRedirectURI):
        redirect_uris.validate("com.example.app:/cb", native_hint=False)


def test_a_web_application_may_still_come_from_loopback() -> None:
    uri = "http://localhost:3000/cb"
    assert redirect_uris.validate(uri, native_hint=False) == uri


@given(st.one_of(LIKELY, CHARACTERS, st.text(max_size=60)))
@example("https://client.example:443")
@example("com.example.app://[::1]/")
@example("https://[::1%25lo]/")
def test_what_is_accepted_has_one_reading_only(uri: str) -> None:
    if not accepted(uri):
        return
    ours = redirect_uris.parse(uri, errors.InvalidRedirectURI)
    theirs = urlsplit(uri)
    assert (ours.scheme, ours.port) == (theirs.scheme, theirs.port)
    assert (ours.path, ours.query) == (theirs.path, theirs.query)
    assert ours.host.lower().strip("[]") == (theirs.hostname or "")
    assert theirs.username is theirs.password is None
    assert theirs.fragment == ""


WHATWG = """const read = uri => { const u = new URL(uri);
return [u.protocol, u.hostname, u.port, u.pathname, u.hash, u.username]; };
console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0)).map(read)));"""
PIECES = (
    ("https://", "http://", "com.example.app:", "com.example.app://", "cursor://"),
    ("client.example", "A.example", "127.0.0.1", "[::1]", "localhost", "1.2.3", "xn--a.b", ""),
    ("", ":1", ":80", ":443", ":080", "/", "/cb", "?", "/a%2Fb"),
)


@pytest.mark.slow
def test_browsers_read_what_is_accepted_as_we_do() -> None:
    """X-23: the parser of Node, which is that of browsers, in a hundred thousand tries."""
    chance, letters = random.Random(23), "abz019.:/?#[]@!$&()*+,;=%-_~\\ |\t\u00e9xX2eEfF"
    tried = (
        "".join([*map(chance.choice, PIECES), *chance.choices(letters, k=chance.randrange(8))])
        for _ in range(100_000)
    )
    uris = [*ACCEPTED, *filter(accepted, sorted(set(tried)))]
    command = [f"{node.folder()}/node", "-e", WHATWG]
    said = subprocess.run(
        command, input=json.dumps(uris), check=True, capture_output=True, text=True
    )

    assert len(uris) > 5000
    differing = [
        (uri, theirs)
        for uri, theirs in zip(uris, json.loads(said.stdout), strict=True)
        if theirs != reading(uri)
    ]
    assert differing == []


def reading(uri: str) -> list[str]:
    """Return our reading in the form of the standard: no default port, a path of web addresses."""
    ours = redirect_uris.parse(uri, errors.InvalidRedirectURI)
    web = ours.scheme in ("http", "https")
    port = ours.port if ours.port != {"http": 80, "https": 443}.get(ours.scheme) else None
    host = ours.host.lower() if web else ours.host
    return [f"{ours.scheme}:", host, str(port or ""), ours.path or "/" * web, "", ""]


@given(st.text(max_size=80), st.text(max_size=80))
def test_matching_never_fails_on_what_strangers_send(registered: str, presented: str) -> None:
    assert redirect_uris.matches(registered, presented) == (registered == presented)
    redirect_uris.host_of(presented)


def test_real_clients_come_back_to_what_they_registered(subtests: pytest.Subtests) -> None:
    for row in REGISTRATIONS:
        with subtests.test(row.client):
            registered = row.body["redirect_uris"]
            assert any(redirect_uris.matches(each, row.redirect_uri) for each in registered)


@pytest.mark.parametrize(
    "registered, presented",
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1:49152/cb"),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1/cb"),
        ("http://[::1]:8080/cb?x=1", "http://[::1]:65535/cb?x=1"),
        ("http://localhost:8787/callback", "http://localhost:1/callback"),
        ("http://127.0.0.1", "http://127.0.0.1:9"),
        ("http://127.0.0.1?x=1", "http://127.0.0.1:9?x=1"),
    ],
)
def test_a_loopback_redirect_uri_may_come_with_any_port(registered: str, presented: str) -> None:
    assert redirect_uris.matches(registered, presented)


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "https://client.example/app/cb?a=b+c&b=2",
        "https://client.example/app/cb",
        "https://client.example/app/cb?",
        "https://client.example/app/cb?a=b%20c",
        "https://client.example/app/cb/?a=b+c",
        "https://client.example/app/CB?a=b+c",
        "https://client.example/App/cb?a=b+c",
        "https://client.example/app/%63b?a=b+c",
        "https://client.example/app%2Fcb?a=b+c",
        "https://client.example/app/x/../cb?a=b+c",
        "https://client.example/app/x/%2e%2e/cb?a=b+c",
        "https://client.example/app/./cb?a=b+c",
        "https://client.example//app/cb?a=b+c",
        "https://client.example/app/cb;x?a=b+c",
        "https://client.example/app/cb?a=b+c#",
        "https://client.example/app/cb?a=b+c#x",
        "https://user@client.example/app/cb?a=b+c",
        "https://client.example@attacker.example/app/cb?a=b+c",
        "https://client.example:443/app/cb?a=b+c",
        "https://client.example:8443/app/cb?a=b+c",
        "https://client.example./app/cb?a=b+c",
        "https://CLIENT.example/app/cb?a=b+c",
        "HTTPS://client.example/app/cb?a=b+c",
        "http://client.example/app/cb?a=b+c",
        "https://attackerclient.example/app/cb?a=b+c",
        "https://client.example.attacker.example/app/cb?a=b+c",
        " https://client.example/app/cb?a=b+c",
        "https://client.example/app/cb?a=b+c ",
        "https://client.example/app/cb?a=b+c\n",
        "https://client.example\\/app/cb?a=b+c",
    ],
)
def test_a_nearly_equal_redirect_uri_does_not_match(presented: str) -> None:
    assert not redirect_uris.matches("https://client.example/app/cb?a=b+c", presented)


@pytest.mark.parametrize(
    "registered, presented",
    [
        ("https://xn--bcher-kva.example/cb", "https://b\u00fccher.example/cb"),
        ("https://client.example:8443/cb", "https://client.example:8444/cb"),
        ("https://127.0.0.1:8443/cb", "https://127.0.0.1:8444/cb"),
        ("com.example.app://localhost:1/cb", "com.example.app://localhost:2/cb"),
        ("http://127.0.0.1/cb", "http://localhost/cb"),
        ("http://localhost:1/cb", "http://[::1]:1/cb"),
        ("http://127.0.0.1/cb", "https://127.0.0.1/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:9/cb/"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:9/cb?x"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:9/cb#"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:080/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:8a/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:\u0664/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80:80/cb"),
        ("http://127.0.0.1", "http://127.0.0.1:80@attacker.example"),
        ("http://127.0.0.1", "http://127.0.0.1:80\n"),
        ("http://127.0.0.1/cb", "http://127.0.0.1.attacker.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.2/cb"),
        ("http://localhost/cb", "http://LOCALHOST:1/cb"),
        ("http://localhost/cb", "http://localhost.:1/cb"),
    ],
)
def test_only_the_loopback_port_is_free(registered: str, presented: str) -> None:
    assert not redirect_uris.matches(registered, presented)


@pytest.mark.parametrize(
    "uri, shown, stripped",
    [
        ("https://client.example:8443/cb?x=1", "client.example:8443", None),
        ("https://client.example", "client.example", None),
        ("http://[::1]:80/cb", "[::1]:80", "http://[::1]/cb"),
        ("http://localhost:80?x=1", "localhost:80", "http://localhost?x=1"),
        ("com.example.app:/cb", "com.example.app", None),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor", None),
    ],
)
def test_people_see_the_host_and_fingerprints_leave_out_loopback_ports(
    uri: str, shown: str, stripped: str | None
) -> None:
    assert redirect_uris.host_of(uri) == shown
    assert redirect_uris.without_loopback_port(uri) == (stripped or uri)
    assert redirect_uris.is_loopback(uri) == bool(stripped)
