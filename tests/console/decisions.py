"""How the tests decide about software: the addresses, and the forms sent to them."""

QUEUE = "/admin/registrations/"
DECISIONS = ("approve", "renew", "forget", "reject", "block", "reopen", "unblock")


def addresses(row):
    """Return every address that decides about software."""
    single = [f"{QUEUE}{row.id}/{verb}" for verb in DECISIONS]
    return [f"{QUEUE}approve", f"{QUEUE}reject", f"{QUEUE}undo", *single]


def decision(csrf, browser, row, **fields):
    """Return the form of a decision about software as it is now."""
    return {
        "csrf_token": csrf(browser),
        "revision": row.revision,
        "reason": "because",
        "scopes": ["tools", "openid"],
        "limit": "all",
        "whom": "everyone",
    } | fields


def selection(row):
    """Return what the checkbox of a row sends."""
    return f"{row.id}:{row.revision}"
