"""`gatewright connection …` for MCP servers and APIs: made, used, tried, ended there as well."""

import pytest

from app.cli.connection_runs import TAKES
from app.cli.upstreams import ENDS_EARLIER, NOWHERE
from app.config import current_key
from app.domain import connections
from app.domain.connection_drafts import Draft
from app.extensions import db
from app.outbound.discovery import SERVER_FOUND
from app.outbound.upstream_clients import NO_WAY
from app.outbound.upstream_trials import ANEW
from app.upstream_steps import CLIENT_LASTS, TOKENS_LAST
from tests.cli.conftest import ON_ONE_DATABASE
from tests.cli.upstreaming import ACCESS, MANAGING, REDIRECT, SECRET
from tests.cli.upstreaming import made as made
from tests.cli.upstreaming import there as there
from tests.conftest import ISSUER
from tests.domain.held_connections import OPERATOR
from tests.outbound.sites import OAUTH, PATH
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said as answered
from tests.services.gate import token_answer

GIVEN = ("--client-id", "given", "--client-secret-stdin", "--auth-method", "client_secret_post")
OTHER = Draft(token_endpoint="https://id.example/t", client_id="other", client_secret="s")


def test_what_people_authorize_is_discovered_registered_and_told_where(there, run, said):
    result = run(*there.words, "--description", "Notes", **there.settings)

    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert f"GET {there.login.origin}{OAUTH}: {SERVER_FOUND}" in lines
    shown = said("connection", "show", "notes")
    assert shown["kind"] == "authorization_code"
    assert (shown["client_id"], shown["registered_how"]) == ("c-1", "registered")
    assert (shown["scope"], shown["issuer"]) == ("read write", there.login.origin)
    with there.app.app_context():
        page = f"{ISSUER}/admin/connections/{connections.get('notes').id}"
    assert lines[-4:] == [
        "The client c-1 there is registered.",
        f"Its redirect URI: {REDIRECT}",
        f"Authorize it for this server: {page}",
        f"People authorize it for themselves: {ISSUER}/connections/notes/",
    ]
    assert there.secrets() == (SECRET, MANAGING)
    assert SECRET not in result.output + str(shown)
    tags = [event["tag"] for event in said("audit", "list", "--type", "connection")]
    assert tags == ["connection.registered", "connection.changed", "connection.created"]


def test_a_client_that_was_given_and_an_initial_token_come_from_standard_input(there, said):
    told = said(*there.words, *GIVEN, stdin=f"{SECRET}\n", **there.settings)
    assert (told["client_id"], told["registered_how"]) == ("given", "given")
    assert (told["auth_method"], there.secrets()[0]) == ("client_secret_post", SECRET)
    assert "POST /register" not in there.login.asked

    said("connection", "delete", "notes", **there.settings)
    said(*there.words, "--initial-token-stdin", stdin="c4n4ry-iat\n", **there.settings)
    assert b"Authorization: Bearer c4n4ry-iat\r\n" in there.login.requests[-1]


def test_where_documents_are_read_the_own_document_is_the_client(there, said):
    login = there.login
    login.describe_server(OAUTH, login.origin, client_id_metadata_document_supported=True)

    told = said(*there.words, **there.settings)

    assert told["client_id"] == f"{ISSUER}/.well-known/client-metadata.json"
    assert (told["registered_how"], told["auth_method"]) == ("document", "none")


def test_what_fails_says_why_and_keeps_nothing(there, run, refusal, said):
    login = there.login
    login.pages["POST /register"] = answered(400, {"error": "invalid_redirect_uri"})
    assert refusal(*there.words, **there.settings) == "conflict"
    assert "answer: invalid_redirect_uri" in run(*there.words, **there.settings).stderr
    login.describe_server(OAUTH, login.origin, registration_endpoint=None)
    assert NO_WAY in run(*there.words, **there.settings).stderr
    login.pages.pop(OAUTH)
    nowhere = run(*there.words, **there.settings).stderr
    assert NOWHERE in nowhere
    assert f"GET {login.origin}{OAUTH}: There is no document here." in nowhere

    assert said("connection", "list") == []
    assert said("audit", "list", "--type", "connection") == []


def test_faults_are_named_before_anybody_is_asked(made, refusal, run):
    asked = len(made.api.requests)

    assert refusal(*made.words, **made.settings) == "conflict"
    wrong = ("connection", "create", "Notes", "--url", "http://api.example/", "--client-id", "us")
    named = run(*wrong, **made.settings).stderr
    for member in ("name must be", "url must be", "client_secret must be set"):
        assert member in named
    assert len(made.api.requests) == asked


def test_a_client_that_cannot_be_kept_is_deleted_there(there, run, said):
    def take_the_name(connection):
        with there.app.app_context():
            connections.create("notes", OTHER, current_key("connections"), by=OPERATOR)
            db.session.commit()
        connection.sendall(answered(201, there.registration()))

    there.login.pages["POST /register"] = take_the_name

    result = run(*there.words, **there.settings)

    assert (result.exit_code, "of this name already" in result.stderr) == (1, True)
    assert there.login.asked[-1] == "DELETE /clients/c-1"
    assert said("connection", "show", "notes")["client_id"] == "other"


def test_a_token_is_printed_and_renewed_when_it_ends_too_early(made, run, said):
    made.authorize()
    made.login.pages["POST /token"] = token_answer("second", expires_in=3600)

    plain = run("connection", "token", "notes", **made.settings)
    same = said("connection", "token", "notes", "--min-life", "5m", **made.settings)
    longer = said("connection", "token", "notes", "--min-life", "15m", **made.settings)

    assert (plain.exit_code, plain.stdout, plain.stderr) == (0, f"{ACCESS}\n", "")
    assert (same["access_token"], longer["access_token"]) == (ACCESS, "second")
    assert 3595 <= longer["expires_in"] <= 3600
    assert made.login.asked.count("POST /token") == 1
    shown = said("connection", "show", "notes")
    assert shown["last_used"] < shown["token_expires"]


def test_without_a_token_it_is_said_who_has_to_do_what(made, refusal, run):
    words = ("connection", "token", "notes")
    assert refusal(*words, **made.settings) == "invalid_grant"
    assert " ".join(ANEW) in run(*words, **made.settings).stderr

    made.authorize(refresh_token="")
    assert ENDS_EARLIER in run(*words, "--min-life", "15m", **made.settings).stderr
    made.authorize()
    made.login.pages["POST /token"] = answered(503)
    assert refusal(*words, "--min-life", "15m", **made.settings) == "token"


def test_a_test_asks_the_api_with_the_token_and_is_recorded(made, run, said):
    made.authorize()
    made.api.pages[f"POST {PATH}"] = answered(200, {})

    told = said("connection", "test", "notes", **made.settings)
    assert (told["ok"], told["conclusion"]) == (True, TAKES)
    assert [step["status"] for step in told["steps"]] == [200]
    made.api.pages[f"POST {PATH}"] = answered(403)
    refused = run("connection", "test", "notes", **made.settings)

    assert refused.exit_code == 1
    assert refused.stdout.startswith(f"POST {made.api.url}: 403, ")
    trail = said("audit", "list", "--type", "connection.tested")
    assert [event["detail"]["failure"] for event in trail] == ["status 403", ""]
    assert ACCESS not in str(told) + refused.output


def test_deleting_ends_tokens_and_client_there(made, run, said):
    made.authorize()

    result = run("connection", "delete", "notes", **made.settings)

    assert (result.exit_code, result.stderr) == (0, "")
    assert made.login.asked[-3:] == ["POST /revoke", "POST /revoke", "DELETE /clients/c-1"]
    (event,) = said("audit", "list", "--type", "connection.unregistered")
    assert (event["detail"]["failure"], event["actor_kind"]) == ("", "cli")


def test_what_may_go_on_there_is_a_warning_and_nothing_stays_here(made, run, said):
    made.authorize()
    made.login.pages |= {"POST /revoke": answered(503), "DELETE /clients/c-1": answered(503)}

    result = run("connection", "delete", "notes", **made.settings)

    assert result.exit_code == 0
    assert result.stderr == f"gatewright: {TOKENS_LAST}\ngatewright: {CLIENT_LASTS}\n"
    assert said("connection", "list") == []


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "words",
    [
        ("--issuer", "https://id.example"),
        ("--resource", "https://api.example"),
        ("--initial-token-stdin", "--client-id", "us"),
        ("--initial-token-stdin", "--client-secret-stdin"),
    ],
)
def test_options_that_exclude_each_other_end_with_two(run, words):
    url = ("--url", "https://api.example/mcp")

    assert run("connection", "create", "notes", *url, *words).exit_code == 2
    assert run("connection", "create", "notes", "--initial-token-stdin").exit_code == 2
