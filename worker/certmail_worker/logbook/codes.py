"""The codes: why something is as it is.

What Google refuses is explained where it is decided, in the two failure tables, and taken from
there; so is how a ledger and a record that do not belong together came about.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from certmail_config.google import token_error_table
from certmail_config.google.token_error_table import Blame
from certmail_worker.delivery import failure_table
from certmail_worker.delivery.failure_table import FailureClass
from certmail_worker.logbook.entry import (
    CERTMAIL,
    DAY,
    DOCTOR,
    NOBODY,
    NONE,
    NOW,
    OPERATOR,
    PROBE,
    REPAIR,
    SHOW,
    STATUS,
    TENANT,
    UNCERTAIN,
    UPSTREAM,
    WEEK,
    Entry,
)
from certmail_worker.recording.consistency import LINEAGE_ERRORS

T = TypeVar("T")
_LOST: Final = "It is held for a person, looked up, or sent again, as CERTMAIL_UNCERTAIN says. Settle what is held."
_RUNS: Final = "Give it what it needs, and start it again."
_RESTORE: Final = "Restore the key, or the row from a backup; nothing is lost meanwhile."
_ATTENTION: Final = "certmailconnectionsinattention"

_DELIVERY: Final = (
    Entry("accepted", "Gmail took the message."),
    Entry("not_sent", "The request could not be made, and nothing left; it is tried again.", OPERATOR, WEEK, "If it goes on, see whether this machine reaches Google.", (DOCTOR,)),
    Entry("proxy_refused", "CERTMAIL_GOOGLE_PROXY does not let certmail through; nothing left.", OPERATOR, NOW, "See what the line's `remedy` says of the proxy.", (DOCTOR,)),
    Entry("answer_lost", "The request left, and no answer came: the mail may have arrived.", OPERATOR, DAY, _LOST, (UNCERTAIN,), "certmailuncertainheld"),
    Entry("answer_cut", "An answer broke off. Where it was an acceptance the mail has most likely arrived; a refusal is tried again.", OPERATOR, DAY, _LOST, (UNCERTAIN,), "certmailuncertainheld"),
    Entry("answer_unclear", "The answer does not say whether Gmail took the mail.", OPERATOR, DAY, _LOST, (UNCERTAIN,), "certmailuncertainheld"),
    Entry("not_gmail", "Something else than Gmail's API answers in its place.", OPERATOR, NOW, "Check CERTMAIL_GMAIL_URL, and the proxy or firewall between certmail and Google.", (DOCTOR,)),
    Entry("unexpected_answer", "Gmail refused a message in a way that certmail does not know.", CERTMAIL, DAY, "Report it, with the line; the reminder has failed.", (STATUS,)),
    Entry("connection_removed", "The reminder's connection no longer exists: it has failed.", UPSTREAM, WEEK, "Enqueue it for a connection that exists."),
    Entry("contract_too_new", "A newer version enqueued a reminder of a kind that this worker does not know: it waits.", OPERATOR, DAY, "Update this worker: one that was updated sends it."),
    Entry("payload_unreadable", "A stored reminder is in no form that this version reads: it has failed.", UPSTREAM, DAY, "See which version enqueued it."),
    Entry("payload_altered", "A stored reminder was altered: it has failed.", OPERATOR, NOW, "See who can write Redis."),
    Entry("payload_malformed", "A stored reminder is in no form that this version opens: it has failed.", UPSTREAM, DAY, "See which version enqueued it."),
    Entry("compose_failed", "No mail can be made of this reminder: it has failed; the line says where.", UPSTREAM, DAY, "Correct it and enqueue it again; if it is as documented, report it.", (STATUS,)),
    Entry("template_failed", "A part of a tenant's templates could not be used: mails say certmail's own words there, and none is lost.", TENANT, DAY, "Correct it and publish again; if it is as it was published, see who can write SQL and Redis.", ("certmail templates show TENANT", "certmail templates check FOLDER")),
    Entry("composing_broken", "No reminder in this language can be composed: they wait.", OPERATOR, NOW, "Install certmail anew on that machine; if it stays, report it.", (DOCTOR,)),
    Entry("not_prepared", "What is kept of a tenant or connection cannot be read: its reminders wait.", OPERATOR, NOW, "See the line's `raised` and `where`, and who can write Redis.", (DOCTOR,)),
    Entry("wrong_connection", "Somebody put another tenant's connection into a reminder: it has failed, and did not leave.", OPERATOR, NOW, "Whoever can write Redis has altered it: see who can."),
    Entry("not_among_only_to", "CERTMAIL_ONLY_TO does not name the recipient: the reminder is suppressed, and did not leave.", OPERATOR, WEEK, "Unless it is for trying out, leave CERTMAIL_ONLY_TO unset, and enqueue anew."),
    Entry("token_refused", "Google refuses a new access token too, or gives none in a way that certmail does not know.", TENANT, NOW, "Link the account again, or check the service account; then probe.", (PROBE,), _ATTENTION),
    Entry("token_unavailable", "Google gave no access token just now; it is asked again by itself."),
    Entry("not_google", "Something else than Google answers where tokens are asked for.", OPERATOR, NOW, "Check CERTMAIL_GOOGLE_TOKEN_URL, and the proxy or firewall in between.", (DOCTOR,)),
    Entry("client_missing", "The OAuth client for linked accounts is not set.", OPERATOR, NOW, "Set CERTMAIL_OAUTH_CLIENT_ID and CERTMAIL_OAUTH_CLIENT_SECRET.", (DOCTOR,)),
    Entry("not_linked", "No account is linked to this connection.", TENANT, DAY, "Link one.", ("certmail connections link CONNECTION",), _ATTENTION),
    Entry("certificate_expired", "The certificate of a connection has ended: Google gives no more tokens.", TENANT, NOW, "Make a new one, and have the tenant upload it.", ("certmail connections rotate CONNECTION",), "certmailcertificateending"),
)  # fmt: skip

_LEDGER: Final = (
    Entry("unknown", "There is no such reminder any more."),
    Entry("fenced", "Another worker has the reminder by now; this one let go of it, and sent nothing."),
    Entry("lease_ended", "The worker took longer to prepare than it may: another takes the reminder."),
    Entry("claimed", "Another worker had answered the doorbell already."),
    Entry("stale", "A doorbell came late, and was not answered; it rings again."),
    Entry("expired", "The reminder's time was over before it could leave."),
    Entry("unwanted", "The campaign that planned the reminder does not want it any more, or is paused; its reason is on record."),
    Entry("paused", "An operator lets nothing leave, or nothing of this tenant.", OPERATOR, NONE, "`certmail resume` lets it leave.", ("certmail resume",)),
    Entry("verified", "A mail whose answer was lost was found among the sent ones: Google had taken it."),
    Entry("unchecked", "Nobody has checked yet that this run of Redis holds what was recorded; a worker does so within seconds.", see="certmailpacingstopped"),
)  # fmt: skip

_PACING: Final = (
    Entry("redis_full", "Redis is nearly full. At 85 % nothing more is taken in, at 95 % nothing more is sent.", OPERATOR, NOW, "Give it more memory, or wait until reminders have left.", (DOCTOR,), "certmailredisfull"),
    Entry("stream_full", "Too many events wait in Redis for the database: nothing is taken in or sent.", OPERATOR, NOW, "See that a worker runs and reaches the database.", (DOCTOR,), "certmailstreamfilling"),
    Entry("replicas_missing", "Fewer replicas of Redis are attached than must confirm each send.", OPERATOR, NOW, "Bring them back.", (DOCTOR,), "replicas-missing"),
    Entry("clock_leapt", "Redis's clock leapt ahead, and workers' clocks disagree: nothing is sent.", OPERATOR, NOW, "Set it right (NTP); if it is right, restart the workers.", (DOCTOR,), "clock-leapt"),
    Entry("durability_unproven", "Redis is not set to keep what it confirms, or does not show whether it is.", OPERATOR, NOW, "Set appendonly yes and appendfsync always, or CERTMAIL_DURABILITY as it is.", (DOCTOR,), "durability-unproven"),
    Entry("not_durable", "Too few replicas of Redis confirmed in time: the request did not leave, or the receipt was not given.", OPERATOR, NOW, "Bring the replicas back; it is tried again by itself.", (DOCTOR,), "replicas-missing"),
)  # fmt: skip

_STORES: Final = (
    Entry("redis_unreachable", "Redis does not answer.", OPERATOR, NOW, "Start it, or check CERTMAIL_REDIS_URL.", (DOCTOR,), "redis-unreachable"),
    Entry("redis_auth", "Redis does not let certmail in.", OPERATOR, NOW, "Check user and password in CERTMAIL_REDIS_URL.", (DOCTOR,), "redis-unreachable"),
    Entry("redis_no_permission", "Redis lets certmail's user in, but not do what it needs.", OPERATOR, NOW, "Give it the right that the line's `remedy` names, or all of them anew.", (DOCTOR, "certmail redis acl"), "redis-unreachable"),
    Entry("redis_tls", "TLS to Redis does not come about.", OPERATOR, NOW, "Check rediss:// and ssl_ca_certs in CERTMAIL_REDIS_URL; where it wants a certificate of certmail's, ssl_certfile and ssl_keyfile, too.", (DOCTOR,), "redis-unreachable"),
    Entry("redis_too_old", "certmail needs Redis 6.2 or newer, or Valkey.", OPERATOR, NOW, "Use a newer server.", (DOCTOR,)),
    Entry("database_unreachable", "The database does not answer. Reminders leave; what happens waits in Redis.", OPERATOR, NOW, "Start it, or check CERTMAIL_DATABASE_URL.", (DOCTOR,), "sql-unreachable"),
    Entry("database_busy", "The SQLite database is held by another program.", OPERATOR, DAY, "Let go of it; `fuser` says who holds it.", (DOCTOR,), "sql-unreachable"),
    Entry("database_encoding", "The database does not hold text as UTF-8: names of some languages could not be recorded.", OPERATOR, NOW, "Make one with ENCODING 'UTF8'; docs/installing.md has the command.", (DOCTOR,)),
    Entry("database_newer", "The database was upgraded by a newer certmail; this one does not know its tables.", OPERATOR, NOW, "Start the newer release; docs/upgrading.md says the way back."),
    Entry("database_outdated", "The database's tables are of another version.", OPERATOR, NOW, "Upgrade them, once.", ("certmail db upgrade",)),
    Entry("data_dir_unusable", "The data directory, or the embedded server's, cannot be used.", OPERATOR, NOW, "Set CERTMAIL_DATA_DIR to one of this user's own."),
    Entry("embedded_busy", "The embedded Valkey runs, but does not answer.", OPERATOR, NOW, "Try again; then end its process.", (DOCTOR,)),
    Entry("embedded_failed", "The embedded Valkey did not start.", OPERATOR, NOW, "Read valkey.log in the data directory; mostly the disk is full."),
    Entry("embedded_missing", "There is no embedded server for this machine.", OPERATOR, NOW, "Set CERTMAIL_REDIS_URL."),
    Entry("embedded_unusable", "The embedded Valkey does not run on this machine.", OPERATOR, NOW, "Install Redis or Valkey, and set CERTMAIL_REDIS_URL."),
    Entry("gateway_unreachable", "The gateway does not answer whoever changes campaigns from Python.", UPSTREAM, DAY, "Check CERTMAIL_PUBLIC_URL, and that the gateway runs; then send the same again."),
    Entry("stores_unreachable", "The gateway answered 503, since a store does not answer.", OPERATOR, NOW, "See the line's `store`.", (DOCTOR,), "redis-unreachable"),
)  # fmt: skip

_SECRETS: Final = (
    Entry("api_key_missing", "Whoever changes campaigns from Python has no API key.", UPSTREAM, DAY, "Make one, and set CERTMAIL_API_KEY.", ("certmail keys create",)),
    Entry("vault_key_missing", "Something is sealed with a vault key that this process does not have.", OPERATOR, NOW, "Add that key behind the newest one, for every process.", (DOCTOR,)),
    Entry("vault_keys_missing", "CERTMAIL_VAULT_KEYS is not set.", OPERATOR, NOW, "Make a key, and set it for every process.", ("certmail vault keygen",)),
    Entry("vault_malformed", "A sealed value is in no form that this version reads.", OPERATOR, NOW, _RESTORE, (DOCTOR,)),
    Entry("vault_mismatch", "A sealed value does not open: it was altered or moved, or the key is not the one.", OPERATOR, NOW, _RESTORE, (DOCTOR,)),
    Entry("tenant_unknown", "Redis does not know a tenant that a reminder is for: its reminders wait.", OPERATOR, NOW, "See whether it was removed, or Redis restored.", (DOCTOR,)),
    Entry("invalid_vault_file", "vault.key in the data directory cannot be read.", OPERATOR, NOW, "Restore the file, or set CERTMAIL_VAULT_KEYS."),
)  # fmt: skip

_CONNECTION: Final = (
    Entry("account_unknown", "Google does not say whose account was linked.", TENANT, DAY, "Probe again in a minute; then link the account again.", (PROBE,), _ATTENTION),
    Entry("another_account", "Another account was linked than the connection sends from.", TENANT, DAY, "Link the right one.", ("certmail connections link CONNECTION",), _ATTENTION),
    Entry("address_unusable", "The linked account's address cannot be used to send from.", TENANT, DAY, "Link an account of the tenant's own Workspace.", ("certmail connections link CONNECTION",), _ATTENTION),
    Entry("x509_unreachable", "Google's list of the service account's certificates could not be read; it is tried again.", OPERATOR, WEEK, "If it goes on, see whether this machine reaches CERTMAIL_GOOGLE_X509_URL.", (PROBE,)),
    Entry("certificate_not_uploaded", "Google does not list the connection's certificate.", TENANT, DAY, "Upload it to the service account.", ("certmail connections certificate CONNECTION",), _ATTENTION),
)  # fmt: skip

_STARTING: Final = (
    Entry("invalid_settings", "A setting cannot be used; the line names it.", OPERATOR, NOW, "Correct it; docs/settings.md says how."),
    Entry("no_home", "There is no home directory to keep data in.", OPERATOR, NOW, "Set CERTMAIL_DATA_DIR."),
    Entry("oauth_client_missing", "The OAuth client for linked accounts is not set.", OPERATOR, NOW, "Set CERTMAIL_OAUTH_CLIENT_ID and CERTMAIL_OAUTH_CLIENT_SECRET."),
    Entry("application_logo", "CERTMAIL_APPLICATION_LOGO cannot be used.", OPERATOR, NOW, "Name a PNG, JPEG or WebP of 256 KiB at most."),
    Entry("gateway_missing", "The gateway is not installed.", OPERATOR, NOW, "Install certmail[gateway]."),
    Entry("flower_auth_missing", "Flower does not start without a password.", OPERATOR, NOW, "Set CERTMAIL_FLOWER_BASIC_AUTH to user:password."),
    Entry("flower_auth_spoilt", "The file with Flower's password cannot be used.", OPERATOR, NOW, "Remove it, and another is made."),
    Entry("operator_client_incomplete", "Half of what signing in with Google needs is set for operators.", OPERATOR, NOW, "Set CERTMAIL_OPERATOR_OAUTH_CLIENT_ID, its secret and CERTMAIL_OPERATOR_DOMAINS, or none of them."),
    Entry("operator_password_spoilt", "The file with the operator's password cannot be used.", OPERATOR, NOW, "Remove it, and another is made."),
    Entry("sandbox_spoilt", "What the sandbox keeps cannot be read.", OPERATOR, NOW, "Start with `certmail up --sandbox --fresh`.", ("certmail up --sandbox --fresh",)),
    Entry("address_in_use", "A process cannot listen where it is told to.", OPERATOR, NOW, "Set another port, or end who has it."),
    Entry("already_up", "`certmail up` runs already on this data directory.", OPERATOR, NOW, "Stop that one first."),
    Entry("sandbox_directory", "The data directory is the sandbox's: no mail leaves from it.", OPERATOR, NOW, "Set CERTMAIL_DATA_DIR to another."),
    Entry("child_failed", "A process that was started ended at once.", OPERATOR, NOW, "Read its log."),
    Entry("not_installed", "Something is missing that the process needs.", OPERATOR, NOW, _RUNS),
    Entry("no_memory", "There is not enough memory.", OPERATOR, NOW, _RUNS),
    Entry("no_room", "A disk is full.", OPERATOR, NOW, _RUNS),
    Entry("file_unusable", "A file cannot be used.", OPERATOR, NOW, _RUNS),
    Entry("refused_by_the_system", "The operating system refused something.", OPERATOR, NOW, _RUNS),
    Entry("unexpected", "Something went wrong that certmail did not foresee.", CERTMAIL, DAY, "Report it, with the line."),
)  # fmt: skip


def _of_gmail() -> Iterator[Entry]:
    follows = {
        FailureClass.MESSAGE: (UPSTREAM, DAY, "It has failed: correct it, and enqueue it again.", (STATUS,)),
        FailureClass.CONNECTION: (TENANT, NOW, "", (PROBE,)),
        FailureClass.OPERATOR: (OPERATOR, NOW, "", (DOCTOR,)),
        FailureClass.PROJECT_DAY_FULL: (OPERATOR, DAY, "", (DOCTOR,)),
    }  # fmt: skip

    for name, (failure, sentence, remedy) in _first_of_each(failure_table.MEANINGS):
        who, urgency, do, commands = follows.get(
            failure, (NOBODY, NONE, "It waits, or is tried again, by itself.", (SHOW,))
        )
        see = _ATTENTION if failure is FailureClass.CONNECTION else ""
        yield Entry(name, sentence, who, urgency, remedy or do, commands, see)


def _of_tokens() -> Iterator[Entry]:
    for name, (blame, sentence, remedy, _) in _first_of_each(token_error_table.MEANINGS):
        if blame is Blame.OPERATOR:
            yield Entry(name, sentence, OPERATOR, NOW, remedy, (DOCTOR,))
        else:
            yield Entry(name, sentence, TENANT, NOW, remedy, (PROBE,), _ATTENTION)


def _of_lineage() -> Iterator[Entry]:
    for name, (sentence, remedy) in LINEAGE_ERRORS.items():
        see = str(name).replace("_", "-")
        yield Entry(str(name), sentence, OPERATOR, NOW, remedy, (REPAIR,), see)


def _first_of_each(meanings: dict[str, T]) -> Iterator[tuple[str, T]]:
    """Of sentences with the same code, the first: behind the slash they differ in detail."""
    seen = set()
    for meaning, value in meanings.items():
        name = meaning.partition("/")[0]
        if name not in seen:
            seen.add(name)
            yield name, value


CODES: Final = {
    "A delivery": _DELIVERY,
    "Gmail's refusals": tuple(_of_gmail()),
    "Refused tokens": tuple(_of_tokens()),
    "A connection": _CONNECTION,
    "A doorbell that had nothing to do": _LEDGER,
    "Pacing": _PACING,
    "Redis and SQL that do not belong together": tuple(_of_lineage()),
    "The stores": _STORES,
    "Vault keys and seals": _SECRETS,
    "A process that does not run": _STARTING,
}
"""Every code, by what it is about."""
