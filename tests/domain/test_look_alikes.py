"""Look-alikes: names and hosts that pass for those of somebody else."""

from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain import look_alikes, redirect_uris, skeletons
from app.domain.known_clients import KNOWN_CLIENTS
from tests.corpora.client_registrations import REGISTRATIONS

APPROVED = [
    ("Example Agent", ["agent.example.com", "127.0.0.1:4711"]),
    ("Ledger", ["ledger.example.net"]),
    ("Приложение", ["app.example.org"]),
]
BRANDS = ["Acme", "Big Bank"]
LOCAL = ["127.0.0.1:5000"]
EVIL = ["evil.example"]


def found(name, hosts, approved=APPROVED, brands=BRANDS):
    """Return kind and resembled thing of each finding."""
    findings = look_alikes.find(name, hosts, approved=approved, brands=brands)
    return [(finding.kind, finding.resembles) for finding in findings]


def test_a_name_in_other_letters_is_found_with_its_score_its_reason_and_what_it_resembles():
    findings = look_alikes.find("Ex\u0430mple Agent", EVIL, approved=APPROVED)

    assert [(each.score, each.kind, each.resembles) for each in findings] == [
        (90, "name_reads_alike", "Example Agent")
    ]
    assert findings[0].reason.startswith("Its name reads like a known name")
    assert look_alikes.score(findings) == 90


def test_nothing_found_scores_nothing():
    assert look_alikes.find("Sales Report", EVIL, approved=APPROVED, brands=BRANDS) == ()
    assert look_alikes.score(()) == 0


def test_no_real_registration_is_suspicious(subtests):
    for row in REGISTRATIONS:
        with subtests.test(row.client):
            hosts = [redirect_uris.host_of(uri) for uri in row.body["redirect_uris"]]
            assert found(row.body["client_name"], hosts, approved=[]) == []


def test_a_known_client_with_its_real_callbacks_is_not_suspicious(subtests):
    others = [("Claude Cod", LOCAL), ("Cursors", LOCAL), ("Chat GPT", EVIL)]

    for client in KNOWN_CLIENTS:
        uris = client.redirect_uris or ["http://localhost/"]
        hosts = [redirect_uris.host_of(uri) for uri in uris]
        for name in client.names:
            with subtests.test(name):
                assert found(name, hosts, approved=others) == []


@pytest.mark.parametrize(
    "name, hosts",
    [
        ("Example Agent", ["agent.example.com"]),
        ("Example Agent", ["agent.example.com", "127.0.0.1:1"]),
        ("Example Agent", ["localhost:9"]),
        ("EXAMPLE  agent", ["Agent.Example.Com:443"]),
        ("Example Agent", ["eu.agent.example.com"]),
        ("Example-Agent", ["agent.example.com"]),
        ("Example Agent 2", ["agent.example.com"]),
        ("Example Agent", []),
        ("Ledger", ["ledger.example.net"]),
        ("Claude Code (Big Bank)", LOCAL),
        ("Claude 4", ["claude.ai"]),
        ("GitHub", ["github.com"]),
        ("Codex Helper", LOCAL),
        ("Visual Studio Code", ["127.0.0.1", "vscode.dev"]),
        ("Acme Ledger", ["ledger.example.net"]),
        ("Acmeologist", EVIL),
        ("mcp", EVIL),
        ("Ledges", ["ledger.example.net"]),
        ("Editor", EVIL),
        ("GitLab", ["gitlab.com"]),
        ("Other Agent", ["other.example.com", "10.1.2.3", "[fd00::1]:8443", "com.other.app"]),
        ("", EVIL),
        ("\U0001f680", EVIL),
        ("()", []),
    ],
)
def test_what_is_itself_or_merely_near_by_is_not_suspicious(name, hosts):
    assert found(name, hosts) == []


@pytest.mark.parametrize(
    "name, resembled",
    [
        ("Cl\u0430ude Code", "Claude Code"),
        ("C1aude Code", "Claude Code"),
        ("CIaude Code", "Claude Code"),
        ("MCP lnspector", "MCP Inspector"),
        ("\uff23\uff4f\uff44\uff45\uff58", "Codex"),
        ("\u0421\u043edex", "Codex"),
        ("\u216do\u217eex", "Codex"),
        ("C\u043ed\u0451x", "Codex"),
        ("Cu\u0433sor", "Cursor"),
        ("Curs\u0585r", "Cursor"),
        ("\u13dfursor", "Cursor"),
        ("Claude-Code", "Claude Code"),
        ("Claude_Code", "Claude Code"),
        ("ClaudeCode", "Claude Code"),
        ("C l a u d e Code", "Claude Code"),
        ("Cl\u0430ude Code (example)", "Claude Code"),
        ("0penCode", "OpenCode"),
        ("Open\u0391I", "OpenAI"),
        ("\u0391\u039dTHROPIC", "Anthropic"),
        ("Anthrop\u0131c", "Anthropic"),
        ("Exarnple Agent", "Example Agent"),
        ("L\u0435dger", "Ledger"),
        ("\u041fp\u0438\u043b\u043e\u0436\u0435\u043d\u0438e", "Приложение"),
        ("\u0410\u0441m\u0435", "Acme"),
        ("B\u0456g-Bank", "Big Bank"),
    ],
)
def test_a_name_that_reads_alike_in_other_letters_is_found(name, resembled):
    assert found(name, LOCAL)[0] == ("name_reads_alike", resembled)


@pytest.mark.parametrize(
    "name, resembled",
    [
        ("Cursr", "Cursor"),
        ("Cursoor", "Cursor"),
        ("Cusror", "Cursor"),
        ("Cutsor", "Cursor"),
        ("Codexx", "Codex"),
        ("Anthrpoci", "Anthropic"),
        ("Exmple Agnt", "Example Agent"),
        ("Ledgers", "Ledger"),
        ("Big Banks", "Big Bank"),
    ],
)
def test_a_name_a_letter_or_two_away_is_found(name, resembled):
    assert found(name, LOCAL) == [("name_nearly_alike", resembled)]


@pytest.mark.parametrize("name", ["Curtain", "Cu", "mcp", "mcpx", "Acmi", "Anthology", "Gitlub Oy"])
def test_a_name_further_away_is_not_found(name):
    assert found(name, LOCAL) == []


@pytest.mark.parametrize(
    "name, hosts, finding",
    [
        ("Claude", EVIL, ("name_elsewhere", "Claude")),
        ("Claude Code", ["claude.ai", *EVIL], ("name_elsewhere", "Claude Code")),
        ("claude code (example)", EVIL, ("name_elsewhere", "Claude Code")),
        ("Claude Code", ["vscode.dev"], ("name_elsewhere", "Claude Code")),
        ("Codex", ["10.1.2.3"], ("name_elsewhere", "Codex")),
        ("Cursor", ["com.evil.app"], ("name_elsewhere", "Cursor")),
        ("MCP Inspector", EVIL, ("name_elsewhere", "MCP Inspector")),
        ("Microsoft", EVIL, ("name_elsewhere", "Microsoft")),
        ("Ledger", EVIL, ("name_elsewhere", "Ledger")),
        ("Acme", EVIL, ("name_elsewhere", "Acme")),
        ("ChatGPT", LOCAL, ("name_on_computer", "ChatGPT")),
        ("Ledger", LOCAL, ("name_on_computer", "Ledger")),
        ("Acme", LOCAL, ("name_on_computer", "Acme")),
        ("Claude for Sheets", EVIL, ("name_borrowed", "Claude")),
        ("My ChatGPT Helper", EVIL, ("name_borrowed", "ChatGPT")),
        ("C1aude Helper", EVIL, ("name_borrowed", "Claude")),
        ("Login by Microsoft", EVIL, ("name_borrowed", "Microsoft")),
        ("Acme Login", EVIL, ("name_borrowed", "Acme")),
        ("AcmeLogin", EVIL, ("name_borrowed", "Acme")),
        ("Acme Login", LOCAL, ("name_borrowed", "Acme")),
        ("The Big-Bank App", EVIL, ("name_borrowed", "Big Bank")),
    ],
)
def test_a_name_whose_bearer_lives_elsewhere_is_found(name, hosts, finding):
    assert finding in found(name, hosts)


@pytest.mark.parametrize(
    "host, kind, resembled",
    [
        ("c1aude.ai", "host_reads_alike", "claude.ai"),
        ("ciaude.ai", "host_reads_alike", "claude.ai"),
        ("claude-ai.example", "host_holds_another", "claude.ai"),
        ("claude.ai.evil.example", "host_holds_another", "claude.ai"),
        ("login-claude.ai", "host_holds_another", "claude.ai"),
        ("vscode.dev.evil.example:8443", "host_holds_another", "vscode.dev"),
        ("claud.ai", "host_nearly_alike", "claude.ai"),
        ("cluade.ai", "host_nearly_alike", "claude.ai"),
        ("claude.co", "host_nearly_alike", "claude.com"),
        ("anthrpoci.com", "host_nearly_alike", "anthropic.com"),
        ("micros0ft.com", "host_reads_alike", "microsoft.com"),
        ("rnicrosoft.com", "host_reads_alike", "microsoft.com"),
        ("ledger.examp1e.net", "host_reads_alike", "ledger.example.net"),
        ("ledger.example.net.evil.example", "host_holds_another", "ledger.example.net"),
        ("legder.exampel.net", "host_nearly_alike", "ledger.example.net"),
    ],
)
def test_a_host_that_passes_for_a_known_one_is_found(host, kind, resembled):
    assert found("Sales Report", [host]) == [(kind, resembled)]


@pytest.mark.parametrize(
    "host",
    [
        "claude.ai",
        "www.claude.com",
        "gitlab.com",
        "ledger.example.net:8443",
        "ledges.example.net",
        "ledger.example.org",
        "example.net",
        "xn--claude-.ia",
        "claude",
        "10.0.0.1",
        "[fd00::1]:8443",
        "",
    ],
)
def test_a_host_that_is_known_or_is_no_neighbour_of_one_is_not_found(host):
    assert found("Sales Report", [host]) == []


@pytest.mark.parametrize("letters", ["cl\u0430ude", "\u0441laude", "cla\u057dde", "claud\u0117"])
def test_a_homograph_in_a_labels_is_decoded(letters):
    label = "xn--" + letters.encode("punycode").decode()

    assert found("Sales Report", [f"{label}.ai"]) == [("host_reads_alike", "claude.ai")]
    assert found("Sales Report", [f"{label}.ai.evil.example"]) == [
        ("host_holds_another", "claude.ai")
    ]


def test_of_many_findings_of_a_kind_one_is_told_whatever_the_order():
    approved = [(f"Example Agent {number}", EVIL) for number in range(5)]
    backwards = approved[::-1]

    assert found("Example Agent x", LOCAL, approved) == found("Example Agent x", LOCAL, backwards)
    assert found("Example Agent x", LOCAL, approved) == [("name_nearly_alike", "Example Agent 0")]


def test_the_worst_is_told_first():
    findings = look_alikes.find("Cursr", ["c1aude.ai"], approved=())

    assert [each.score for each in findings] == [90, 70]


@pytest.mark.parametrize("kind", look_alikes.KINDS)
def test_a_reason_is_a_sentence_that_says_what_to_check(kind):
    points, reason = look_alikes.KINDS[kind]

    assert 0 < points <= 100
    assert "; " in reason
    assert reason.endswith(".")


NAMES = st.one_of(
    st.text(max_size=100),
    st.text("Claude Cox19|(-_\u0430\u043e\u0131", max_size=20),
    st.sampled_from(["Claude Code", "Codex", "Acme", "Example Agent"]),
)
HOSTS = st.one_of(
    st.text(max_size=253),
    st.text("claude.ai-:[]xn01", max_size=30),
    st.sampled_from(["claude.ai", "127.0.0.1:1", "xn--", "xn--a.", ".", "[::1", "evil.example"]),
)
SOFTWARE = st.lists(st.tuples(NAMES, st.lists(HOSTS, max_size=3)), max_size=4)


@given(NAMES, st.lists(HOSTS, max_size=3), SOFTWARE, st.lists(NAMES, max_size=2))
@example("a" * 100_000, ["a." * 100_000], [("b " * 50_000, [])], ["\ud800"])
@example("\ufdfa" * 100, ["xn--" + "a" * 300], [], [""])
def test_any_text_is_judged_within_bounds_and_always_alike(name, hosts, approved, brands):
    findings = look_alikes.find(name, hosts, approved=approved, brands=brands)
    again = look_alikes.find(name, hosts[::-1], approved=approved[::-1], brands=brands[::-1])

    assert findings == again
    assert all(0 < each.score <= 100 for each in findings)
    assert 0 <= look_alikes.score(findings) <= 100
    assert len({each.kind for each in findings}) == len(findings)


@given(NAMES, st.lists(HOSTS, max_size=3), SOFTWARE)
def test_approved_software_never_resembles_another(name, hosts, approved):
    assert found(name, hosts, [*approved, (name, hosts)], []) == []


@given(NAMES, NAMES)
def test_two_names_are_near_each_other_or_neither_is(first, second):
    one, two = skeletons.reading(first), skeletons.reading(second)

    assert skeletons.are_near(one, two) == skeletons.are_near(two, one)


def distance(first, second):
    """Return the edit distance by the table of the textbook, neighbours swapped once at most."""
    table = {(row, 0): row for row in range(len(first) + 1)}
    table |= {(0, column): column for column in range(len(second) + 1)}
    for row in range(1, len(first) + 1):
        for column in range(1, len(second) + 1):
            one, two = first[:row], second[:column]
            steps = [
                table[row - 1, column] + 1,
                table[row, column - 1] + 1,
                table[row - 1, column - 1] + (one[-1] != two[-1]),
            ]
            if len(one) > 1 and len(two) > 1 and one[-2:] == two[:-3:-1]:
                steps.append(table[row - 2, column - 2] + 1)
            table[row, column] = min(steps)
    return table[len(first), len(second)]


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 3))
def test_edits_are_counted_as_the_textbook_does(first, second, edits):
    assert skeletons.are_within(first, second, edits) == (distance(first, second) <= edits)
    assert skeletons.are_within(second, first, edits) == (distance(first, second) <= edits)


@pytest.mark.parametrize("letter", skeletons.CONFUSABLE.values())
def test_the_table_leads_to_latin_letters(letter):
    assert letter in "abcdefghijklmnopqrstuvwxyz"


def test_the_table_holds_only_characters_that_are_left_when_case_and_marks_are_gone():
    characters = list(map(chr, skeletons.CONFUSABLE))

    assert [c for c in characters if skeletons.skeleton(c) != skeletons.CONFUSABLE[ord(c)]] == []


def test_a_thousand_approved_names_are_compared_without_a_noticeable_wait():
    approved = [(f"Sales Report {number}", [f"s{number}.example.com"]) for number in range(1000)]
    waits = []
    for _ in range(3):
        start = perf_counter()
        assert found("Annual Budget", ["budget.example.org"], approved) == []
        waits.append(perf_counter() - start)

    assert min(waits) < 0.1
