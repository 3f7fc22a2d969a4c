"""Bound tokens that are exchanged: whose key the new ones are bound to (RFC 8693, RFC 9449)."""

from tests.protocol import machines
from tests.protocol.machines import RESOURCE, assert_refused
from tests.protocol.proofs import OTHER, jkt, proving
from tests.protocol.test_token_exchange import GRANTS, exchange


def test_a_new_token_has_the_key_of_whoever_exchanges_and_never_that_of_the_old_one(
    app, client, public, person
):
    """A resource does not have the key of the app, and proves itself instead."""
    given = public.redeem(person.code(public), headers=proving(name=OTHER)).get_json()
    stands = {"introspects": (RESOURCE,), "grant_types": GRANTS}
    middle = machines.create(app, client, client_name="Middle", **stands)
    binding = machines.create(
        app, client, client_name="Binding", dpop_bound_access_tokens=True, **stands
    )

    def ask(machine, **more):
        return exchange(machine, given["access_token"], resource=RESOURCE, **more)

    assert_refused(ask(binding), "invalid_dpop_proof")
    for machine in (middle, binding):
        bound = ask(machine, headers=proving()).get_json()
        shown = machine.introspect(bound["access_token"]).get_json()
        assert (bound["token_type"], shown["cnf"]) == ("DPoP", {"jkt": jkt()})
    borne = ask(middle).get_json()
    assert borne["token_type"] == "Bearer"
    assert "cnf" not in middle.introspect(borne["access_token"]).get_json()
