"""Owns the lines people copy after a client was made; each runs as it stands."""

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any
from urllib.parse import urlencode

import orjson

from app.domain import client_information
from app.domain.client_records import Client
from app.domain.clients import Issued

SERVICE = """\
curl -sS {token_url} \\
  -u {login} \\
  -d grant_type=client_credentials{more}"""

SIGN_IN = """\
verifier=$(openssl rand -hex 32)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary \\
  | openssl base64 -A | tr '+/' '-_' | tr -d '=')
echo "Open this address, then paste the code from the address you are sent to:"
echo {authorize_url}"&code_challenge=$challenge"
read -r code
curl -sS {token_url} \\
  {proof} \\
  -d grant_type=authorization_code \\
  --data-urlencode code="$code" \\
  --data-urlencode redirect_uri={redirect_uri} \\
  -d code_verifier="$verifier"{more}"""

REGISTER = """\
curl -sS {register_url} \\
  -H {authorization} \\
  -H 'Content-Type: application/json' \\
  -d {body}"""

EXAMPLE = {
    "client_name": "My app",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}


def credentials(client: Client, issuer: str, issued: Issued) -> dict[str, str]:
    """Return what is copied next to a new secret: lines for an .env file, and JSON."""
    lines = {"OAUTH_ISSUER": issuer, "OAUTH_CLIENT_ID": client.client_id}
    if issued.client_secret is not None:
        lines["OAUTH_CLIENT_SECRET"] = issued.client_secret
    uris = client.client_metadata.get("redirect_uris", [])
    if uris:
        lines["OAUTH_REDIRECT_URI"] = uris[0]
    information = client_information.of(client, issuer, issued)
    return saved(lines, information)


def saved(lines: Mapping[str, str], document: Mapping[str, Any]) -> dict[str, str]:
    """Return lines for an .env file, and JSON, by the name of the format."""
    return {
        ".env": "".join(f"{name}={quote(value)}\n" for name, value in lines.items()),
        "JSON": orjson.dumps(document, option=orjson.OPT_INDENT_2).decode(),
    }


def script(
    client: Client, issuer: str, issued: Issued, scopes: Sequence[str], resources: Sequence[str]
) -> str:
    """Return shell lines that get the client its first token.

    Without ``resources`` the server's default resource is meant.
    """
    wanted = {"scope": " ".join(scopes), "resource": next(iter(resources), "")}
    asked = {name: value for name, value in wanted.items() if value}
    if "authorization_code" in client.client_metadata["grant_types"]:
        return sign_in(client, issuer, issued, asked)
    return SERVICE.format(
        token_url=quote(f"{issuer}/token"),
        login=quote(f"{client.client_id}:{issued.client_secret}"),
        more=parameters(asked),
    )


def sign_in(client: Client, issuer: str, issued: Issued, asked: Mapping[str, str]) -> str:
    """Return shell lines that sign a person in: PKCE, the browser, the code, the token."""
    redirect_uri = client.client_metadata["redirect_uris"][0]
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        **asked,
        "code_challenge_method": "S256",
    }
    proof = f"-d client_id={quote(client.client_id)}"
    if issued.client_secret is not None:
        proof = f"-u {quote(f'{client.client_id}:{issued.client_secret}')}"
    return SIGN_IN.format(
        authorize_url=quote(f"{issuer}/authorize?{urlencode(query)}"),
        token_url=quote(f"{issuer}/token"),
        proof=proof,
        redirect_uri=quote(redirect_uri),
        more=parameters({name: asked[name] for name in asked if name == "resource"}),
    )


def parameters(asked: Mapping[str, str]) -> str:
    """Return further form parameters of a curl line."""
    lines = (f" \\\n  --data-urlencode {name}={quote(value)}" for name, value in asked.items())
    return "".join(lines)


def registration(issuer: str, token: str) -> str:
    """Return the shell line that registers a client with an initial access token."""
    return REGISTER.format(
        register_url=quote(f"{issuer}/register"),
        authorization=quote(f"Authorization: Bearer {token}"),
        body=quote(orjson.dumps(EXAMPLE).decode()),
    )
