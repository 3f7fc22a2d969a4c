"""The fields about signing out in the form of a client."""

import pytest

from app.domain.audit_tags import Tag
from tests.console.markup import texts
from tests.console.test_client_editing import LIST
from tests.console.test_client_editing import made as made
from tests.console.test_client_editing import registered as registered
from tests.console.test_client_editing import save as save

BYE, TOLD = "https://client.example/bye", "https://client.example/told"


def test_what_is_typed_is_in_force_shown_and_taken_back(save, admin, made, stored, happened):
    assert (
        save(
            post_logout_redirect_uris=f" {BYE}\n{BYE}", backchannel_logout_uri=f" {TOLD} "
        ).status_code
        == 303
    )

    said = stored(made).client_metadata
    assert (said["post_logout_redirect_uris"], said["backchannel_logout_uri"]) == ([BYE], TOLD)
    page = texts(admin.get(f"{LIST}{made}").text)
    assert BYE in page
    assert TOLD in page
    form = admin.get(f"{LIST}edit/{made}").text
    assert f'value="{TOLD}"' in form
    assert happened(Tag.CLIENT_UPDATED)[0].detail["after"]["backchannel_logout_uri"] == TOLD

    save()
    left = stored(made).client_metadata.keys()
    assert not {"post_logout_redirect_uris", "backchannel_logout_uri"} & left


@pytest.mark.parametrize(
    "name, value",
    [
        ("post_logout_redirect_uris", "http://client.example/bye"),
        ("post_logout_redirect_uris", "javascript:alert(1)"),
        ("backchannel_logout_uri", "http://client.example/told"),
        ("backchannel_logout_uri", "https://169.254.169.254/"),
    ],
)
def test_what_may_not_be_registered_is_refused_beside_its_field(save, made, stored, name, value):
    page = save(**{name: value})

    assert page.status_code == 422
    assert f'id="e-{name}"' in page.text
    assert value in page.text
    assert name not in stored(made).client_metadata


def test_a_wrong_redirect_uri_is_the_fault_of_its_own_field_alone(save):
    page = save(redirect_uris="http://client.example/cb")

    assert page.status_code == 422
    assert 'id="e-redirect_uris"' in page.text
    assert 'id="e-post_logout_redirect_uris"' not in page.text
