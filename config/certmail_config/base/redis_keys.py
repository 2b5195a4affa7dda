"""Every Redis key that certmail uses, with its type, what it holds and how long it lives.

The one hash tag keeps all keys in one slot, so that scripts may touch any of them. The Lua scripts
get their names from here too (`lua_names`), so a name is written once.
"""

from __future__ import annotations

from typing import Final

TAG: Final = "{certmail}"

# One key each.
CLOCK: Final = f"{TAG}:clock"
"""string: the latest time used, ms since 1970; the ledger's time never goes back, nor ahead by a
leap
"""
DUE: Final = f"{TAG}:due"
"""zset: every unfinished job, scored by the next time anybody must look at it, ms"""
WAKE: Final = f"{TAG}:wake"
"""zset: lanes that have ready jobs, and `project:<id>` of projects that lanes wait for, scored by
the next time each may send, ms
"""
PACER_WOKEN: Final = f"{TAG}:pacer-woken"
"""list: one empty word where a lane was put into `wake` since the pacer last looked"""
LEASED: Final = f"{TAG}:leased"
"""set: jobs that are dispatched or sending"""
RINGING: Final = f"{TAG}:ringing"
"""set: leased jobs whose doorbell nobody has answered yet"""
WORKERS: Final = f"{TAG}:workers"
"""zset: live workers, scored by the end of their advertisement, ms"""
CAPACITY: Final = f"{TAG}:capacity"
"""hash: worker -> deliveries it may hold at once"""
UNSURE: Final = f"{TAG}:unsure"
"""zset: uncertain jobs that can be looked up in SENT, scored by the next look, ms"""

EVENTS: Final = f"{TAG}:events"
"""stream: what happened; trimmed behind the recorder"""
KEEPER: Final = f"{TAG}:keeper"
"""string: the worker that paces, reaps and records; PX 3 s, renewed each second"""
PROGRESS: Final = f"{TAG}:progress"
"""hash: service of the keeper's -> "got on at|expected again until" (ms); service:why -> what its
last try failed with; rung -> first doorbell since the last answered one (ms); clock:worker ->
seconds that its clock is ahead of Google's; waits -> "mailboxes|projects"; resumed -> when an
operator last let things leave again (ms)
"""
SAMPLE: Final = f"{TAG}:sample"
"""hash: `ledger`, `database` -> JSON of what the keeper last counted there, and when; for metrics"""

EPOCH: Final = f"{TAG}:epoch"
"""string: names this ledger; SQL holds the same"""
CHECKED_RUN: Final = f"{TAG}:checked-run"
"""string: run_id of the server that was found to hold what SQL has recorded"""
PROVEN: Final = f"{TAG}:proven"
"""string: "run_id|durability" that a worker has seen the server's configuration keep, for who may
not see it
"""
RECORDED: Final = f"{TAG}:recorded"
"""string: id of the last event that was known to be in SQL"""
WENT_BACK: Final = f"{TAG}:went-back"
"""string: a worker saw that the ledger is older than it was before"""
HELD_BACK: Final = f"{TAG}:held-back"
"""hash by connection: how many a repair has held because they could have left"""

STOPPED: Final = f"{TAG}:stopped"
"""hash: code, message, remedy, at (ms): why pacing stands still; for people"""
PAUSED: Final = f"{TAG}:paused"
"""set: tenants whose reminders stay where they are, `*` for all; working copy of SQL"""
WITNESS: Final = f"{TAG}:witness"
"""string, empty: written before each WAIT, which proves nothing without a write before it"""

DEPLOYMENT: Final = f"{TAG}:deployment"
"""hash: salt of mailbox ids, share of each project; working copy of SQL"""
API_KEYS: Final = f"{TAG}:api-keys:sealed"
"""hash by API key's id: digest of the key, tenants, scopes, end, sealed; working copy of SQL"""
OPEN_API_KEYS: Final = f"{TAG}:api-keys"
"""hash: the same unsealed, which gateways read until version 0.2; only shrinks"""
FORGED: Final = f"{TAG}:forged"
"""hash by place: "when, ms|code" of what was found there and is not certmail's; expires a week
after the last
"""
TENANTS: Final = f"{TAG}:tenants"
"""set: tenant ids; working copy of SQL"""

# One key per id: the prefix that the id is appended to.
JOB: Final = f"{TAG}:job:"
"""hash by job: all but the payload; expires DEDUPE_DAYS after the job is final"""
BODY: Final = f"{TAG}:body:"
"""string by job: the sealed reminder; deleted when the job is final"""
DEDUPE: Final = f"{TAG}:dedupe:"
"""string by tenant:key: "job id|fingerprint"; expires with the job"""
WITHDRAWN: Final = f"{TAG}:withdrawn:"
"""string, empty, by job: it was withdrawn before it was enqueued, and will not be; PX two weeks,
when a planned mail's hours are over
"""
UNWANTED: Final = f"{TAG}:unwanted:"
"""hash by tenant:campaign (hashed): reviewer (hashed), or `*` for all -> why none of their reminders
is wanted any more; expires 60 days after the last change, when no job is left that it could be about
"""

LANE: Final = f"{TAG}:lane:"
"""zset by connection: ready jobs, scored by priority, then age"""
LATER: Final = f"{TAG}:later:"
"""zset by connection: scheduled jobs, scored by the time they wait for, ms"""
LANE_INFO: Final = f"{TAG}:lane-info:"
"""hash by connection: open or suspended and why, mailbox, project, limits"""
TAKEN: Final = f"{TAG}:taken:"
"""hash by tenant: reminders taken in by day since 1970, and `all` of them; days leave as their
reminders are forgotten
"""
LANES: Final = f"{TAG}:lanes:"
"""set by project: its lanes"""

MAILBOX: Final = f"{TAG}:mailbox:"
"""hash by mailbox: cool-down, unknown outcomes in a row, that limits are not what they were; expires
an hour after its last use
"""
PROJECT: Final = f"{TAG}:project:"
"""hash by project: as of a mailbox"""
TRIPPED: Final = f"{TAG}:tripped:"
"""set by project: mailboxes with unknown outcomes since its last success"""
PACE: Final = f"{TAG}:pace:"
"""hash by mailbox:project and by project: next slot (ms), and how much slower than known; expires a
day after its last use
"""
WINDOW: Final = f"{TAG}:window:"
"""zset as PACE: what counts for Google's minute: leased jobs (inf), and `job:attempt` until it
leaves the minute, ms
"""
DAY: Final = f"{TAG}:day:"
"""hash by mailbox and by project: messages of the last 24 hours by five-minute slot, their total,
the oldest slot, the limits by which the last one was leased
"""
QUEUE: Final = f"{TAG}:queue:"
"""zset by project: lanes that wait for it, in the order in which they came"""
FLYING: Final = f"{TAG}:flying:"
"""set by mailbox: its leased jobs"""
BLOCKED: Final = f"{TAG}:blocked:"
"""set by mailbox: lanes that left `wake` because too much is in flight"""

TENANT: Final = f"{TAG}:tenant:"
"""hash by tenant: public key, salt, connections by name, its mails' locale; working copy of SQL"""
TEMPLATES: Final = f"{TAG}:templates:"
"""hash by tenant: its templates, their version, and `off:place` -> why of what failed and is left
out; working copy of SQL
"""
CONNECTION: Final = f"{TAG}:connection:"
"""hash by connection: all of it, keys sealed; working copy of SQL"""

TOKEN: Final = f"{TAG}:token:"
"""string by connection:version:purpose: access token, sealed; expires with it"""
TOKEN_LOCK: Final = f"{TAG}:token-lock:"
"""string by connection:purpose: who fetches a token now; PX 20 s"""
REFUSAL: Final = f"{TAG}:refusal:"
"""string by connection:version:purpose: the last token refused, sealed; expires an hour after it
may be asked again
"""
TOKEN_HOLD: Final = f"{TAG}:token-hold:"
"""string, empty, by service account (hashed), or `ours`: Google wants no token requests while it
lives
"""
GRANTED: Final = f"{TAG}:granted"
"""hash by connection: when Google last granted it a token, ms"""
TESTED: Final = f"{TAG}:tested:"
"""string by connection: until when no other test mail leaves it, ms; expires then"""
WARNED: Final = f"{TAG}:warned"
"""hash by connection: "end of its certificate|days before it" of the last warning"""

ACCOUNT_TURN: Final = f"{TAG}:account-turn:"
"""string by hash of a Google account's `sub`: who links or revokes it now; PX 2 min"""
LINK: Final = f"{TAG}:link:"
"""string by hash of the state: a consent under way, sealed; EX 30 min"""
OUTCOME: Final = f"{TAG}:outcome:"
"""string by hash of a used state or offer: how the sign-in ended, sealed; EX 30 min"""
OFFER: Final = f"{TAG}:offer:"
"""string by hash of its id: an account that somebody is asked about, sealed; EX 30 min"""

WORKER_REQUEST: Final = f"{TAG}:enquiry:"
"""string by worker request: what a worker is asked and has found, sealed; EX 15 min, anew each time
it gets on
"""
WORKER_REQUEST_TAKEN: Final = f"{TAG}:enquiry-taken:"
"""string by worker request: the worker that took it up; EX 15 min"""
WORKER_REQUEST_LATEST: Final = f"{TAG}:enquiry-latest:"
"""string by connection: id of its latest worker request; EX 15 min"""

SESSION: Final = f"{TAG}:visit:"
"""string by hash of the cookie: who looks at the console, sealed; EX 2 h or as long as a set-up
link
"""
LOGINS: Final = f"{TAG}:logins:"
"""string by hash of the address, or `all`: sign-ins tried; EX 15 min"""
SETUP: Final = f"{TAG}:setup-link:"
"""string by tenant: its set-up link, sealed; EX 7 days"""
SETUP_BROWSER: Final = f"{TAG}:setup-bound:"
"""string by hash of a set-up link: hash of the one browser that may use it, sealed; EX as the link
"""
CLIENT_ID: Final = f"{TAG}:setup-client:"
"""string by connection: numeric client ID of its service account, sealed; EX 90 days"""
TEST_WANTED: Final = f"{TAG}:setup-mail:"
"""string by connection: a test mail that goes once it can, or when it went, sealed; EX 25 h"""
MAIL_TAKEN: Final = f"{TAG}:setup-taken:"
"""string by connection: from what Gmail took a test mail, sealed; EX 90 days"""
DELEGATION: Final = f"{TAG}:setup-delegation:"
"""string by connection: the link for its super administrator, sealed; EX 7 days"""

RATE: Final = f"{TAG}:rate:"
"""string by API key's id and minute: how much it has asked for; EX two minutes"""
IDEMPOTENCY: Final = f"{TAG}:idempotency:"
"""string by hash of API key and Idempotency-Key: request and answer, sealed; EX a minute while it
runs, a day after
"""
IDEMPOTENCY_KEPT: Final = f"{TAG}:idempotency-kept:"
"""string by API key's id: bytes of answers kept for it; EX a day after its first"""

OF_SETTING_UP: Final = (
    SESSION,
    SETUP,
    SETUP_BROWSER,
    CLIENT_ID,
    TEST_WANTED,
    MAIL_TAKEN,
    DELEGATION,
)
"""What stands sealed in Redis alone, for days."""
CELERY_PREFIX: Final = f"{TAG}:celery:"
"""kombu's own keys: queue, unacked, bindings"""


def lua_names() -> dict[str, str]:
    """Every name above as the Lua scripts write it after `K.`.

    `LANE_INFO` is `K.lane_info` there.
    """
    return {
        name.lower(): value
        for name, value in globals().items()
        if isinstance(value, str) and value.startswith(f"{TAG}:")
    }
