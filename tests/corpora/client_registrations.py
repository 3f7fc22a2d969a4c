"""Registrations of real MCP clients, and the redirect URI each of them later sends to authorize."""

from typing import Any, NamedTuple

CODE_AND_REFRESH = ["authorization_code", "refresh_token"]


class ClientRegistration(NamedTuple):
    """What one client posts, and where it then wants its code."""

    client: str
    body: dict[str, Any]
    redirect_uri: str


REGISTRATIONS = [
    ClientRegistration(
        "typescript sdk 1 leaves out grants, method and type",
        {
            "client_name": "simple-typescript-client",
            "redirect_uris": ["http://localhost:8090/callback"],
            "scope": "mcp:tools",
        },
        "http://localhost:8090/callback",
    ),
    ClientRegistration(
        "typescript sdk 2 derives the application type",
        {
            "client_name": "simple-typescript-client",
            "redirect_uris": ["http://localhost:8090/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "application_type": "native",
            "scope": "mcp:tools",
        },
        "http://localhost:8090/callback",
    ),
    ClientRegistration(
        "typescript sdk 2 in a hosted application",
        {
            "client_name": "Hosted agent",
            "redirect_uris": ["https://agent.example.com/oauth/callback"],
            "grant_types": CODE_AND_REFRESH,
            "token_endpoint_auth_method": "client_secret_post",
            "application_type": "web",
        },
        "https://agent.example.com/oauth/callback",
    ),
    ClientRegistration(
        "python sdk names no method",
        {
            "redirect_uris": ["http://localhost:3030/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "application_type": "native",
            "client_name": "Simple Auth Client",
            "scope": "user",
        },
        "http://localhost:3030/callback",
    ),
    ClientRegistration(
        "python model dump with nulls",
        {
            "redirect_uris": ["http://localhost:3030/callback"],
            "token_endpoint_auth_method": None,
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "client_name": "Simple Auth Client",
            "client_uri": None,
            "logo_uri": None,
            "contacts": None,
            "jwks": None,
            "jwks_uri": None,
            "scope": None,
        },
        "http://localhost:3030/callback",
    ),
    ClientRegistration(
        "fastmcp takes a random localhost port",
        {
            "client_name": "FastMCP Client",
            "redirect_uris": ["http://localhost:53411/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
        },
        "http://localhost:53411/callback",
    ),
    ClientRegistration(
        "mcp-remote names its software",
        {
            "client_name": "MCP CLI Proxy",
            "client_uri": "https://github.com/modelcontextprotocol/mcp-cli",
            "redirect_uris": ["http://localhost:18343/oauth/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d",
            "software_version": "0.15.1",
        },
        "http://localhost:18343/oauth/callback",
    ),
    ClientRegistration(
        "inspector sends an empty scope",
        {
            "client_name": "MCP Inspector",
            "client_uri": "https://github.com/modelcontextprotocol/inspector",
            "redirect_uris": ["http://127.0.0.1:6276/oauth/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "scope": "",
        },
        "http://127.0.0.1:6276/oauth/callback",
    ),
    ClientRegistration(
        "claude code keeps its port and names no type",
        {
            "client_name": "Claude Code (gatewright)",
            "redirect_uris": ["http://localhost:49217/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "mcp:tools",
        },
        "http://localhost:49217/callback",
    ),
    ClientRegistration(
        "codex registers anew for every login",
        {
            "client_name": "Codex",
            "redirect_uris": ["http://127.0.0.1:36049/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "scope": "mcp:tools",
        },
        "http://127.0.0.1:36049/callback",
    ),
    ClientRegistration(
        "opencode",
        {
            "client_name": "OpenCode",
            "client_uri": "https://opencode.ai",
            "redirect_uris": ["http://127.0.0.1:19876/mcp/oauth/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        },
        "http://127.0.0.1:19876/mcp/oauth/callback",
    ),
    ClientRegistration(
        "mcpc",
        {
            "client_name": "mcpc",
            "redirect_uris": ["http://localhost:8000/callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        },
        "http://localhost:8000/callback",
    ),
    ClientRegistration(
        "vs code has four redirect uris and comes from another port",
        {
            "client_name": "Visual Studio Code",
            "client_uri": "https://code.visualstudio.com",
            "redirect_uris": [
                "https://insiders.vscode.dev/redirect",
                "https://vscode.dev/redirect",
                "http://127.0.0.1/",
                "http://127.0.0.1:33418/",
            ],
            "grant_types": [*CODE_AND_REFRESH, "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "scope": "mcp:tools",
        },
        "http://127.0.0.1:41999/",
    ),
    ClientRegistration(
        "cursor has a private-use scheme among three redirect uris",
        {
            "client_name": "Cursor",
            "redirect_uris": [
                "cursor://anysphere.cursor-mcp/oauth/callback",
                "https://www.cursor.com/agents/mcp/oauth/callback",
                "http://localhost:8787/callback",
            ],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        },
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ),
    ClientRegistration(
        "hosted claude asks for a secret",
        {
            "client_name": "Claude",
            "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_post",
            "scope": "mcp:tools",
        },
        "https://claude.ai/api/mcp/auth_callback",
    ),
    ClientRegistration(
        "chatgpt connector",
        {
            "client_name": "ChatGPT",
            "redirect_uris": ["https://chatgpt.com/connector/oauth/abc123DEF"],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        },
        "https://chatgpt.com/connector/oauth/abc123DEF",
    ),
    ClientRegistration(
        "rancher agent relies on the default method behind a cluster proxy",
        {
            "client_name": "Rancher AI Agent",
            "redirect_uris": [
                "https://rancher.example.com/api/v1/namespaces/cattle-ai-agent-system/services/"
                "http:rancher-ai-agent:80/proxy/v1/api/oauth/callback"
            ],
            "grant_types": CODE_AND_REFRESH,
            "response_types": ["code"],
        },
        "https://rancher.example.com/api/v1/namespaces/cattle-ai-agent-system/services/"
        "http:rancher-ai-agent:80/proxy/v1/api/oauth/callback",
    ),
    ClientRegistration(
        "native application with a reverse-domain scheme",
        {
            "client_name": "Example for iOS",
            "redirect_uris": ["com.example.app:/oauth2redirect"],
            "grant_types": CODE_AND_REFRESH,
            "token_endpoint_auth_method": "none",
            "application_type": "native",
        },
        "com.example.app:/oauth2redirect",
    ),
]
