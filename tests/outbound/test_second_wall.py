"""S-17: behind a network that lets nothing out, others are away and nothing else is.

Skipped, and the report says so, where the system keeps unprivileged users from making a network
namespace: the wall is the thing under test, and nothing else on the machine can stand in for it.
"""

import subprocess
import sys

import pytest

from tests.services.gunicorn import ROOT

WALLED = ("unshare", "--net", "--map-root-user")
ASK = """
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError
for ask, url in (("stranger", "https://client.example/oauth.json"), ("trusted", "http://10.0.0.9/")):
    try:
        getattr(Outbound("test"), ask)(url, seconds=2)
    except OutboundError as error:
        print(error.reason)
"""


def test_behind_a_second_wall_whoever_is_asked_is_away():
    if subprocess.run([*WALLED, "true"], check=False, capture_output=True).returncode:
        pytest.skip(
            "S-17 is not shown here: the system lets nobody but root make a network namespace"
            " (try `unshare --net --map-root-user true`); a machine that does runs this test"
        )

    done = subprocess.run(
        [*WALLED, sys.executable, "-c", ASK],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (done.stdout.split(), done.stderr) == (["dns", "network"], "")
