"""Which scopes exist, which identify a person, and which open which Gmail method.

See google.md §2.1 and gmail.v1.json.
"""

from __future__ import annotations

PREFIX = "https://www.googleapis.com/auth/"
EMAIL = PREFIX + "userinfo.email"
PROFILE = PREFIX + "userinfo.profile"
OPENID = "openid"

FULL = "https://mail.google.com/"
SEND = PREFIX + "gmail.send"
COMPOSE = PREFIX + "gmail.compose"
MODIFY = PREFIX + "gmail.modify"
READONLY = PREFIX + "gmail.readonly"
METADATA = PREFIX + "gmail.metadata"

IDENTITY = frozenset({OPENID, EMAIL, PROFILE})
MAY_SEND = frozenset({SEND, COMPOSE, MODIFY, FULL})
MAY_READ = frozenset({METADATA, READONLY, MODIFY, FULL})
MAY_READ_CONTENT = frozenset({READONLY, MODIFY, FULL})
MAY_PROFILE = frozenset({METADATA, READONLY, MODIFY, COMPOSE, FULL})

# What a person reads on the consent screen.
WORDS = {
    OPENID: "Associate you with your personal info on Google",
    EMAIL: "See your primary Google Account email address",
    PROFILE: "See your personal info, including any personal info you've made publicly available",
    SEND: "Send email on your behalf",
    COMPOSE: "Manage drafts and send emails",
    MODIFY: "Read, compose, and send emails from your Gmail account",
    READONLY: "View your email messages and settings",
    METADATA: "View your email message metadata such as labels and headers, but not the email body",
    FULL: "Read, compose, send, and permanently delete all your email from Gmail",
}

_SHORT = {"email": EMAIL, "profile": PROFILE}
# Gmail's own, of gmail.v1.json, and those of neighbours that people ask for beside them. Google has
# some hundreds more, which are refused here: a wrong name that slips through would be found in
# production only.
_OTHERS = (
    *("gmail.insert", "gmail.labels", "gmail.settings.basic", "gmail.settings.sharing"),
    *("gmail.addons.current.action.compose", "gmail.addons.current.message.action"),
    *("gmail.addons.current.message.metadata", "gmail.addons.current.message.readonly"),
    *("cloud-platform", "cloud-platform.read-only", "iam"),
    *("calendar", "calendar.readonly", "contacts.readonly"),
    *("drive", "drive.file", "drive.readonly", "spreadsheets", "directory.readonly"),
    *("admin.directory.user", "admin.directory.user.readonly", "admin.directory.group.readonly"),
)
_KNOWN = frozenset(WORDS) | {PREFIX + name for name in _OTHERS}
GMAIL = frozenset(scope for scope in _KNOWN if scope == FULL or scope.startswith(PREFIX + "gmail."))


def parse(text: str) -> tuple[str, ...]:
    """Split a space-separated scope parameter into full names, each once, in order."""
    return tuple(dict.fromkeys(_SHORT.get(scope, scope) for scope in text.split()))


def unknown(scopes: tuple[str, ...]) -> list[str]:
    """Those that Google has never heard of; a comma-separated list is one of them."""
    return [scope for scope in scopes if scope not in _KNOWN]


def with_openid(scopes: frozenset[str]) -> frozenset[str]:
    """What is really granted: Google adds `openid` to any identity scope (google.md §3.2)."""
    return scopes | {OPENID} if scopes & IDENTITY else scopes


def joined(scopes: frozenset[str]) -> str:
    """The scopes as one parameter, separated by spaces, as answers have them (google.md §3.3)."""
    return " ".join(sorted(scopes))
