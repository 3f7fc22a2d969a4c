"""What a person did and what happened to their account, in plain sentences."""

from typing import Any

from flask import url_for

from app.account.pages import PAGE_SIZE, account_blueprint, asked, person, render_page
from app.account.recent_changes import by_whom
from app.domain import activity, client_lists
from app.domain.audit import AuditEvent
from app.domain.audit_tags import Tag

bp = account_blueprint("own_activity", __name__)
APP = "{app}"
SENTENCES = {
    Tag.USER_CREATED: "Your account was made.",
    Tag.USER_SIGNED_IN: "You signed in.",
    Tag.USER_SIGN_IN_FAILED: "You typed a wrong password to change it.",
    Tag.USER_SIGNED_OUT: "You signed out.",
    Tag.USER_ROLE_CHANGED: "You were given another role.",
    Tag.USER_RENAMED: "Your name was changed.",
    Tag.USER_CONTACT_CHANGED: "Your telephone number or postal address was changed.",
    Tag.USER_DISABLED: "Your account was disabled.",
    Tag.USER_ENABLED: "Your account was enabled again.",
    Tag.USER_PASSWORD_CHANGED: "Your password was changed.",
    Tag.USER_PASSWORD_LINK_MADE: "A link was made to set your password.",
    Tag.USER_FACTOR_ADDED: "You added a second factor.",
    Tag.USER_FACTOR_REMOVED: "You removed a second factor.",
    Tag.USER_FACTOR_FAILED: "Somebody who knew your password typed a wrong code.",
    Tag.USER_FACTORS_RESET: "Your second factor was reset.",
    Tag.USER_RECOVERY_CODES_MADE: "You made new recovery codes.",
    Tag.USER_RECOVERY_CODE_USED: "You used a recovery code.",
    Tag.USER_IDENTITY_LINKED: "A sign-in at another server was linked to your account.",
    Tag.USER_IDENTITY_UNLINKED: "A sign-in at another server was unlinked from your account.",
    Tag.USER_SESSIONS_ENDED: "Browsers in which you were signed in were signed out.",
    Tag.CONSENT_GIVEN: "You let {app} use your account.",
    Tag.CONSENT_VOUCHED: "Your organisation let {app} use your account.",
    Tag.CONSENT_DENIED: "You refused {app}.",
    Tag.CONSENT_REVOKED: "{app} may not use your account any more.",
    Tag.CONNECTION_AUTHORIZED: "You authorized a connection.",
    Tag.CONNECTION_DECLINED: "You gave a connection no more than it has.",
    Tag.CONNECTION_REVOKED: "You disconnected a connection.",
}
LONGEST_KEY = 18


@bp.get("/activity")
def list_activity() -> str:
    """Show what happened, newest first."""
    older = asked("older")
    key = int(older) if older.isascii() and older.isdigit() and len(older) <= LONGEST_KEY else None
    user_id = person().id
    found = activity.of_person(user_id, SENTENCES, older_than=key, size=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    names = client_lists.names(event.client_id for event in shown if event.client_id)
    first = url_for("own_activity.list_activity")
    return render_page(
        "own_activity.html",
        rows=[row_of(event, user_id, names) for event in shown],
        first_url=first if key is not None else None,
        next_url=f"{first}?older={shown[-1].id}" if len(found) > PAGE_SIZE else None,
    )


def row_of(event: AuditEvent, user_id: str, names: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows of an event; the address of somebody else is not shown."""
    before, app, after = SENTENCES[Tag(event.tag)].partition(APP)
    own, vouched = event.actor_id == user_id, event.tag == Tag.CONSENT_VOUCHED
    return {
        "at": event.at_ms // 1000,
        "before": before,
        "app": names.get(event.client_id or "", "an app") if app else "",
        "after": after,
        "by": "" if own or vouched else by_whom(event),
        "address": event.address if own else "",
    }
