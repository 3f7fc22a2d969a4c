"""Owns the registry of real MCP clients: their names, callbacks, hosts and documents."""

from dataclasses import dataclass

from app.domain import redirect_uris


@dataclass(frozen=True, slots=True)
class KnownClient:
    """What a real client is known to register; empty where nothing is known."""

    name: str
    vendor: str
    names: tuple[str, ...]
    """As registered, without what a client adds in parentheses, such as a server's name."""
    redirect_uris: tuple[str, ...] = ()
    """Loopback without a port; ``{id}`` stands for one segment of the path."""
    hosts: tuple[str, ...] = ()
    """Host names of the vendor."""
    document_urls: tuple[str, ...] = ()
    """Client ID metadata documents; ``{id}`` as above."""

    @property
    def on_computer(self) -> bool:
        """Whether it calls back to the end-user's own machine, as far as anybody knows."""
        return not self.redirect_uris or any(map(redirect_uris.is_loopback, self.redirect_uris))


_ANTHROPIC = ("claude.ai", "claude.com", "anthropic.com")
_OPENAI = ("chatgpt.com", "openai.com")

KNOWN_CLIENTS = (
    KnownClient(
        "Claude",
        "Anthropic",
        ("Claude",),
        (
            "https://claude.ai/api/mcp/auth_callback",
            "https://claude.com/api/mcp/auth_callback",
        ),
        _ANTHROPIC,
        ("https://claude.ai/oauth/mcp-oauth-client-metadata",),
    ),
    KnownClient(
        "Claude Code",
        "Anthropic",
        ("Claude Code",),
        ("http://localhost/callback",),
        _ANTHROPIC,
        ("https://claude.ai/oauth/claude-code-client-metadata",),
    ),
    KnownClient("Claude Desktop", "Anthropic", ("Claude Desktop",), hosts=_ANTHROPIC),
    KnownClient(
        "ChatGPT",
        "OpenAI",
        ("ChatGPT",),
        ("https://chatgpt.com/connector/oauth/{id}",),
        _OPENAI,
        ("https://chatgpt.com/oauth/{id}/client.json",),
    ),
    KnownClient(
        "Codex",
        "OpenAI",
        ("Codex",),
        ("http://127.0.0.1/callback",),
        _OPENAI,
        ("https://chatgpt.com/oauth/codex/client.json",),
    ),
    KnownClient(
        "Visual Studio Code",
        "Microsoft",
        ("Visual Studio Code",),
        (
            "https://insiders.vscode.dev/redirect",
            "https://vscode.dev/redirect",
            "http://127.0.0.1/",
        ),
        ("vscode.dev", "insiders.vscode.dev", "github.com", "microsoft.com"),
        ("https://vscode.dev/oauth/client-metadata.json",),
    ),
    KnownClient(
        "Copilot CLI",
        "GitHub",
        ("Copilot CLI",),
        hosts=("github.com",),
        document_urls=("https://github.com/copilot/cli/client-metadata.json",),
    ),
    KnownClient(
        "Cursor",
        "Anysphere",
        ("Cursor",),
        (
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost/callback",
        ),
        ("cursor.com", "www.cursor.com"),
    ),
    KnownClient(
        "OpenCode",
        "OpenCode",
        ("OpenCode",),
        ("http://127.0.0.1/mcp/oauth/callback",),
        ("opencode.ai",),
        ("https://opencode.ai/oauth/opencode/client.json",),
    ),
    KnownClient("MCP Inspector", "", ("MCP Inspector",), ("http://127.0.0.1/oauth/callback",)),
    KnownClient("FastMCP", "", ("FastMCP Client",), ("http://localhost/callback",)),
    KnownClient("mcp-remote", "", ("MCP CLI Proxy",), ("http://localhost/oauth/callback",)),
    KnownClient("mcpc", "", ("mcpc",), ("http://localhost/callback",)),
)
