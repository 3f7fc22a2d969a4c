"""The one table of every address of this server: whose it is, and what guards it.

A route that is not here fails ``tests/test_routes.py``; so does a row that the server does not
keep. Roles: ``anyone``; for machines ``client``, ``client token`` (that a client got for itself),
``person token`` (that a person gave to one) and ``registration token`` (of a client); for people
``member``, ``viewer``, ``approver`` and ``admin``, each with those above it, and the holders of the
``setup link``, a ``password link`` or a ``passkey``.
"""

from typing import NamedTuple

NO_STORE = "no-store"
METADATA = "public, max-age=300"
PICTURE = "public, max-age=31536000, immutable"
KEYS = "public, max-age=3600"


class Route(NamedTuple):
    """One row; ``limits`` are the settings whose rate limits it spends, and ``ASKING``."""

    method: str
    path: str
    door: str
    role: str
    csrf: str
    cache: str = NO_STORE
    limits: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def machine(
    method: str, path: str, role: str = "anyone", cache: str = NO_STORE, *limits: str
) -> Route:
    """Return a row of the machines' door: no cookie, and therefore no CSRF token."""
    return Route(method, path, "machine", role, "exempt", cache, limits)


def person(method: str, path: str, role: str = "anyone", *limits: str, csrf: str = "") -> Route:
    """Return a row of the end-user's way through."""
    return Route(method, path, "person", role, csrf or needed(method), NO_STORE, limits)


def console(method: str, path: str, role: str = "viewer", *limits: str) -> Route:
    """Return a row of the operators' door."""
    return Route(method, "/admin" + path, "console", role, needed(method), NO_STORE, limits)


def needed(method: str) -> str:
    """Return what guards a form: every POST carries a token unless its row says otherwise."""
    return "required" if method == "POST" else "nothing to forge"


ASKING = "asking others"
"""The limit, without a setting, of what one operator lets this server ask others."""
REGISTRATION = ("registration_rate_limit", "registration_address_rate_limit")

TABLE = (
    machine("GET", "/.well-known/"),
    machine("GET", "/.well-known/<path:_rest>"),
    machine("GET", "/.well-known/client-metadata.json", "anyone", METADATA),
    machine("GET", "/.well-known/jwks.json", "anyone", KEYS),
    machine("GET", "/.well-known/oauth-authorization-server", "anyone", METADATA),
    machine("GET", "/.well-known/openid-configuration", "anyone", METADATA),
    # 404 for an issuer at the root, which is what the example of these two is
    machine("GET", "/.well-known/oauth-authorization-server/<path:issuer_path>"),
    machine("GET", "/.well-known/openid-configuration/<path:issuer_path>"),
    machine("POST", "/register", "anyone", NO_STORE, *REGISTRATION),
    machine("GET", "/clients/<path:client_id>", "registration token", NO_STORE, "token_rate_limit"),
    machine(
        "PUT",
        "/clients/<path:client_id>",
        "registration token",
        NO_STORE,
        "registration_rate_limit",
        "token_rate_limit",
    ),
    machine(
        "DELETE", "/clients/<path:client_id>", "registration token", NO_STORE, "token_rate_limit"
    ),
    machine("POST", "/token", "client", NO_STORE, "token_rate_limit"),
    machine("POST", "/par", "client", NO_STORE, "token_rate_limit"),
    machine("POST", "/device_authorization", "client", NO_STORE, "token_rate_limit"),
    machine("POST", "/backchannel_logout/<provider>", "anyone", NO_STORE, "token_rate_limit"),
    machine("POST", "/revoke", "client", NO_STORE, "token_rate_limit"),
    machine(
        "POST", "/introspect", "client", NO_STORE, "token_rate_limit", "introspection_rate_limit"
    ),
    machine("POST", "/connections/<name>/token", "client token", NO_STORE, "token_rate_limit"),
    machine("GET", "/userinfo", "person token", NO_STORE, "token_rate_limit"),
    machine("POST", "/userinfo", "person token", NO_STORE, "token_rate_limit"),
    machine("GET", "/livez"),
    machine("GET", "/readyz"),
    person("GET", "/"),
    person("GET", "/account/", "member"),
    person("GET", "/account/activity", "member"),
    person("POST", "/account/apps/remove", "member"),
    person("GET", "/account/identities", "member"),
    person("POST", "/account/identities/unlink", "member"),
    person("GET", "/account/new-password"),
    person("POST", "/account/new-password", "password link", "sign_in_rate_limit"),
    person("GET", "/account/password", "member"),
    person("POST", "/account/password", "member", "sign_in_rate_limit"),
    person("GET", "/account/profile", "member"),
    person("POST", "/account/profile", "member"),
    person("GET", "/account/security", "member"),
    person("POST", "/account/security/passkeys", "member", "sign_in_rate_limit"),
    person("POST", "/account/security/passkeys/options", "member"),
    person("POST", "/account/security/passkeys/remove", "member"),
    person("POST", "/account/security/recovery-codes", "member"),
    person("POST", "/account/security/remove", "member"),
    person("GET", "/account/security/authenticator", "member"),
    person("POST", "/account/security/authenticator", "member"),
    person("POST", "/account/security/authenticator/confirm", "member", "sign_in_rate_limit"),
    person("GET", "/account/sessions", "member"),
    person("POST", "/account/sessions/end", "member"),
    person("POST", "/account/sessions/end-others", "member"),
    person("GET", "/authorize"),
    person("POST", "/authorize", csrf="exempt"),
    person("GET", "/connections/", "member"),
    person("GET", "/connections/<name>/", "member"),
    person("POST", "/connections/<name>/authorize", "member"),
    person("POST", "/connections/<name>/decline", "member"),
    person("POST", "/connections/<name>/disconnect", "member"),
    person("GET", "/connections/callback", "member"),
    person("POST", "/consent", "member"),
    person("GET", "/device", "member"),
    person("POST", "/device", "member"),
    person("POST", "/device/decision", "member"),
    person("GET", "/device/qr.svg"),
    person("GET", "/login"),
    person("POST", "/login", "anyone", "sign_in_rate_limit"),
    person("GET", "/login/callback/<provider>"),
    person("POST", "/login/<provider>", "anyone", "sign_in_rate_limit"),
    person("POST", "/login/<provider>/link", "member", "sign_in_rate_limit"),
    Route("GET", "/logos/<digest>", "person", "anyone", "nothing to forge", PICTURE),
    person("GET", "/logout"),
    person("POST", "/logout", csrf="exempt"),  # with a token it acts, without it goes on to GET
    person("POST", "/passkey", "passkey", "sign_in_rate_limit"),
    person("POST", "/passkey/options", "anyone", "sign_in_rate_limit"),
    person("GET", "/second-factor"),
    person("POST", "/second-factor", "anyone", "sign_in_rate_limit"),
    person("GET", "/setup"),
    person("POST", "/setup", "setup link", "sign_in_rate_limit"),
    person("POST", "/theme", csrf="exempt"),
    person("POST", "/waiting/leave"),
    person("POST", "/waiting/justify", "member"),
    person("POST", "/waiting/approve", "approver"),
    person("POST", "/waiting/reject", "approver"),
    Route("GET", "/static/<path:filename>", "static", "anyone", "nothing to forge", "no-cache"),
    console("GET", "/"),
    console("GET", "/acquire/"),
    console("GET", "/acquire/inspect"),
    console("GET", "/acquire/own/"),
    console("POST", "/acquire/own/gate", "admin", ASKING),
    console("POST", "/acquire/authorization", "approver"),
    console("POST", "/acquire/client-credentials", "approver"),
    console("POST", "/acquire/code", "approver"),
    console("POST", "/acquire/introspect", "approver"),
    console("POST", "/acquire/refresh", "approver"),
    console("POST", "/acquire/register", "approver"),
    console("POST", "/acquire/revoke", "approver"),
    console("GET", "/audit/"),
    console("GET", "/audit/<int:event_id>"),
    console("POST", "/audit/export.csv"),
    console("POST", "/audit/export.json"),
    console("GET", "/clients/"),
    console("GET", "/clients/<path:client_id>"),
    console("POST", "/clients/check-redirect-uris", "admin"),
    console("POST", "/clients/delete", "admin"),
    console("POST", "/clients/delete/<path:client_id>", "admin"),
    console("GET", "/clients/edit/<path:client_id>", "admin"),
    console("POST", "/clients/edit/<path:client_id>", "admin", ASKING),
    console("GET", "/clients/new", "admin"),
    console("POST", "/clients/new", "admin", ASKING),
    console("POST", "/clients/pin/<path:client_id>", "admin"),
    console("POST", "/clients/resume/<path:client_id>", "approver"),
    console("POST", "/clients/revoke-tokens/<path:client_id>", "approver"),
    console("GET", "/clients/rotate-secret/<path:client_id>", "admin"),
    console("POST", "/clients/rotate-secret/<path:client_id>", "admin"),
    console("POST", "/clients/suspend/<path:client_id>", "approver"),
    console("POST", "/clients/unpin/<path:client_id>", "admin"),
    console("GET", "/identity-providers/", "admin"),
    console("GET", "/identity-providers/<name>", "admin"),
    console("GET", "/identity-providers/<name>/edit", "admin"),
    console("POST", "/identity-providers/<name>/edit", "admin"),
    console("POST", "/identity-providers/<name>/preview", "admin"),
    console("POST", "/identity-providers/<name>/remove", "admin"),
    console("POST", "/identity-providers/<name>/test", "admin", ASKING),
    console("GET", "/identity-providers/new", "admin"),
    console("POST", "/identity-providers/new", "admin", ASKING),
    console("GET", "/initial-access-tokens/"),
    console("GET", "/initial-access-tokens/<token_id>"),
    console("GET", "/initial-access-tokens/new", "admin"),
    console("POST", "/initial-access-tokens/new", "admin"),
    console("POST", "/initial-access-tokens/revoke/<token_id>", "admin"),
    console("GET", "/policies/"),
    console("POST", "/policies/delete", "admin"),
    console("GET", "/policies/edit", "admin"),
    console("POST", "/policies/edit", "admin"),
    console("POST", "/policies/move", "admin"),
    console("GET", "/policies/new", "admin"),
    console("POST", "/policies/new", "admin"),
    console("POST", "/policies/preset", "admin"),
    console("POST", "/policies/switch", "admin"),
    console("GET", "/policies/versions"),
    console("GET", "/policies/versions/<int:number>"),
    console("POST", "/policies/versions/<int:number>/restore", "admin"),
    console("GET", "/registrations/"),
    console("GET", "/registrations/<software_id>"),
    console("GET", "/registrations/<software_id>/logo/<digest>"),
    console("POST", "/registrations/<software_id>/fetch-logo", "approver", ASKING),
    console("POST", "/registrations/<software_id>/hide-logo", "approver"),
    console("POST", "/registrations/<software_id>/show-logo", "approver"),
    console("GET", "/registrations/arrivals"),
    console("POST", "/registrations/<software_id>/approve", "approver"),
    console("POST", "/registrations/<software_id>/block", "approver"),
    console("POST", "/registrations/<software_id>/forget", "approver"),
    console("POST", "/registrations/<software_id>/renew", "approver"),
    console("POST", "/registrations/<software_id>/reject", "approver"),
    console("POST", "/registrations/<software_id>/unblock", "approver"),
    console("POST", "/registrations/<software_id>/reopen", "approver"),
    console("POST", "/registrations/approve", "approver"),
    console("POST", "/registrations/undo", "approver"),
    console("POST", "/registrations/reject", "approver"),
    console("GET", "/resources/"),
    console("POST", "/resources/delete", "admin"),
    console("GET", "/resources/edit", "admin"),
    console("POST", "/resources/edit", "admin"),
    console("GET", "/resources/new", "admin"),
    console("POST", "/resources/new", "admin"),
    console("GET", "/scopes/"),
    console("POST", "/scopes/delete", "admin"),
    console("GET", "/scopes/edit", "admin"),
    console("POST", "/scopes/edit", "admin"),
    console("GET", "/scopes/new", "admin"),
    console("POST", "/scopes/new", "admin"),
    console("GET", "/simulator/"),
    console("POST", "/simulator/judge"),
    console("POST", "/simulator/replay"),
    console("GET", "/statement-issuers/"),
    console("GET", "/statement-issuers/new", "admin"),
    console("POST", "/statement-issuers/new", "admin"),
    console("POST", "/statement-issuers/remove/<issuer_id>", "admin"),
    console("GET", "/connections/"),
    console("GET", "/connections/<connection_id>"),
    console("GET", "/connections/<connection_id>/edit", "admin"),
    console("POST", "/connections/<connection_id>/edit", "admin"),
    console("POST", "/connections/<connection_id>/remove", "admin"),
    console("GET", "/connections/<connection_id>/rotate-secret", "admin"),
    console("POST", "/connections/<connection_id>/rotate-secret", "admin"),
    console("POST", "/connections/<connection_id>/test", "admin", ASKING),
    console("GET", "/connections/<upstream_id>/change", "admin"),
    console("POST", "/connections/<upstream_id>/change", "admin"),
    console("GET", "/connections/<upstream_id>/replace-secret", "admin"),
    console("POST", "/connections/<upstream_id>/replace-secret", "admin"),
    console("POST", "/connections/<upstream_id>/update-client", "admin", ASKING),
    console("GET", "/connections/new", "admin"),
    console("POST", "/connections/new", "admin"),
    console("GET", "/connections/new/upstream", "admin"),
    console("POST", "/connections/new/upstream", "admin"),
    console("POST", "/connections/<upstream_id>/authorize", "admin"),
    console("POST", "/connections/<upstream_id>/decline", "admin"),
    console("POST", "/connections/<upstream_id>/delete", "admin"),
    console("POST", "/connections/<upstream_id>/discover", "admin", ASKING),
    console("GET", "/connections/<upstream_id>/register", "admin"),
    console("POST", "/connections/<upstream_id>/register", "admin", ASKING),
    console("POST", "/connections/<upstream_id>/revoke", "admin"),
    console("POST", "/connections/<upstream_id>/try", "admin", ASKING),
    console("GET", "/unsent/"),
    console("GET", "/users/", "admin"),
    console("GET", "/users/<user_id>", "admin"),
    console("POST", "/users/<user_id>/contact", "admin"),
    console("POST", "/users/<user_id>/disable", "admin", ASKING),
    console("POST", "/users/<user_id>/enable", "admin"),
    console("POST", "/users/<user_id>/end-session", "admin"),
    console("POST", "/users/<user_id>/end-sessions", "admin"),
    console("POST", "/users/<user_id>/password-link", "admin"),
    console("POST", "/users/<user_id>/reset-factor", "admin"),
    console("POST", "/users/<user_id>/role", "admin"),
    console("GET", "/users/new", "admin"),
    console("POST", "/users/new", "admin"),
    console("GET", "/webhooks/"),
    console("GET", "/webhooks/<endpoint_id>"),
    console("GET", "/webhooks/<endpoint_id>/<delivery_id>"),
    console("POST", "/webhooks/<endpoint_id>/<delivery_id>/redeliver", "admin"),
    console("POST", "/webhooks/<endpoint_id>/remove", "admin"),
    console("POST", "/webhooks/<endpoint_id>/rotate-secret", "admin"),
    console("POST", "/webhooks/<endpoint_id>/switch", "admin"),
    console("POST", "/webhooks/<endpoint_id>/test", "admin"),
    console("GET", "/webhooks/new", "admin"),
    console("POST", "/webhooks/new", "admin"),
    console("GET", "/clean-up/"),
    console("POST", "/clean-up/", "admin"),
    console("GET", "/gate/"),
    console("POST", "/gate/", "admin", ASKING),
    console("GET", "/system/"),
    console("POST", "/system/client-documents", "admin"),
    console("POST", "/system/registration-mode", "admin"),
    console("POST", "/system/rotate-key", "admin"),
    console("POST", "/system/replace-keys", "admin"),
)
