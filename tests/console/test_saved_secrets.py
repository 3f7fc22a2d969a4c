"""Pages that show a secret once let it be saved as lines of an .env file and as JSON."""

import json

import pytest

from tests.console.initial_tokens import PLAIN
from tests.console.markup import controls

FORMS = {
    "client": ("clients/new", {"kind": "service", "name": "Job", "everywhere": "on"}),
    "initial-access-token": (
        "initial-access-tokens/new",
        PLAIN,
    ),
    "webhook": ("webhooks/new", {"url": "https://hooks.example/in"}),
}
MEMBERS = {
    "client": ("OAUTH_CLIENT_SECRET", "client_secret"),
    "initial-access-token": ("INITIAL_ACCESS_TOKEN", "initial_access_token"),
    "webhook": ("WEBHOOK_SECRET", "secret"),
}


@pytest.mark.parametrize("file", FORMS)
def test_a_secret_is_saved_in_two_formats_where_scripts_run(admin, send, file):
    path, form = FORMS[file]
    line, member = MEMBERS[file]

    page = send(admin, f"/admin/{path}", **form).text

    [env] = controls(page, "button", **{"data-save": f"{file}.env"})
    [document] = controls(page, "button", **{"data-save": f"{file}.json"})
    secret = json.loads(document["data-text"])[member]
    assert len(secret) > 30
    assert f"{line}={secret}\n" in env["data-text"]
    for button in (env, document):
        assert "needs-script" in button["class"].split()
