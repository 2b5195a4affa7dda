"""The events: what a line is about."""

from __future__ import annotations

from typing import Final

from certmail_worker.logbook.entry import (
    CERTMAIL,
    DAY,
    DOCTOR,
    NOW,
    OPERATOR,
    PROBE,
    SHOW,
    STATUS,
    TENANT,
    UNCERTAIN,
    UPSTREAM,
    WEBHOOK,
    WEEK,
    Entry,
)

_CODE: Final = "Look up the line's `code`: `certmail logs explain CODE`."
_REPORT: Final = "Report it, with the line: it is certmail's mistake."
_ALTERED: Final = (
    "Somebody, or a failing disk, has altered what only certmail writes: see who can write there."
)

DELIVERIES: Final = (
    Entry(
        "delivery",
        "What became of one delivery: `state` is what the reminder is now, `code` why. An error is "
        "for whoever runs certmail, a warning did not arrive or stops a mailbox, all else is as it "
        "should be.",
        do=_CODE,
        commands=(STATUS,),
    ),
    Entry(
        "begin_waits",
        "Redis does not answer whether a request may leave: nothing is sent until it does.",
        OPERATOR, NOW, "Bring Redis back.", (DOCTOR,), "redis-unreachable",
    ),
    Entry(
        "settle_waits",
        "Google has answered, but Redis does not take the outcome in. The worker keeps it and tries "
        "until it can; killed meanwhile, the reminder would be `uncertain`.",
        OPERATOR, NOW, "Bring Redis back, and do not kill the workers.", (DOCTOR,), "redis-unreachable",
    ),
    Entry(
        "request_failed",
        "Something raised that nobody foresaw. In a worker one reminder's outcome may be unknown by "
        "it; in the gateway one request was answered 500.",
        CERTMAIL, DAY, _REPORT,
    ),
    Entry(
        "template_suspended",
        "A part of a tenant's templates (`place`) failed in a worker. From now on certmail's own words "
        "stand there, until something is published again; no reminder is lost.",
        TENANT, DAY, _CODE, ("certmail templates show TENANT",),
    ),
    Entry(
        "templates_unreadable",
        "What stands in the place of a tenant's templates in Redis is something else, or may not be "
        "read: its mails are in certmail's own words.",
        OPERATOR, DAY, _ALTERED, (DOCTOR,),
    ),
    Entry(
        "template_not_suspended",
        "Redis was away when a failed template was to be put on record: this worker leaves it out all "
        "the same, and another finds out by itself.",
    ),
    Entry(
        "token_not_dropped",
        "Redis was away when an access token that Google refused was to be forgotten; it is "
        "forgotten at the next attempt.",
    ),
    Entry("token_not_renewed", "Google gave no new access token ahead of time; it is asked again when one is needed."),
    Entry(
        "token_unreadable",
        "An access token in Redis does not open: it was sealed with a vault key that this worker "
        "does not have, or altered. Another is asked for.",
        OPERATOR, DAY, "See that all processes have the same CERTMAIL_VAULT_KEYS.", (DOCTOR,),
    ),
    Entry(
        "reaped",
        "A reminder's time was over (`expired`), or a worker did not end what it had: what it had "
        "not begun returned to its lane, what it may have sent is `uncertain`. Some after a restart "
        "are usual.",
        OPERATOR, WEEK, "If there are many, see why workers die.", (DOCTOR,), "certmailprocessdown",
    ),
    Entry(
        "job_broken",
        "What Redis holds of a reminder cannot be read; it is held, and no other waits for it.",
        OPERATOR, DAY, _ALTERED, (DOCTOR, STATUS),
    ),
    Entry("verified", "A mail whose answer was lost was found among the sent ones: Google had taken it."),
    Entry("verified_absent", "A mail whose answer was lost is not among the sent ones, looked for twice: it was not sent, and is sent again."),
    Entry(
        "look_failed",
        "A mailbox could not be looked through for mails whose answer was lost; it is tried again.",
        OPERATOR, WEEK, "If it goes on, try the connection out.", (PROBE,),
    ),
    Entry(
        "look_given_up",
        "A mail whose answer was lost could not be looked up: what follows an unknown outcome is left to the rule, or to a person.",
        OPERATOR, DAY, "Settle what is held.", (UNCERTAIN,), "certmailuncertainheld",
    ),
    Entry(
        "connection_broken",
        "What Redis holds of a connection cannot be read; its mailbox is not looked through.",
        OPERATOR, DAY, _ALTERED, (DOCTOR,),
    ),
    Entry(
        "lane_broken",
        "What Redis holds of a lane cannot be read; its mailbox is not looked through.",
        OPERATOR, DAY, _ALTERED, (DOCTOR,),
    ),
)  # fmt: skip

FLEET: Final = (
    Entry(
        "pacing_stopped",
        "Nothing leaves; reminders are taken in and wait. `code` says why.",
        OPERATOR, NOW, "Do what the line's `remedy` says.", (DOCTOR,), "certmailpacingstopped",
    ),
    Entry("pacing_goes_on", "What had stopped pacing is over."),
    Entry("keeper", "This worker paces, reaps and records from now on."),
    Entry("keeper_not_given_up", "A worker that stops could not say so to Redis; another takes over within seconds all the same."),
    Entry(
        "ledger_unreachable",
        "A worker cannot reach the ledger, or may not use it: nothing leaves from it.",
        OPERATOR, NOW, "Bring Redis back, or give certmail's user its rights again.", (DOCTOR,),
        "redis-unreachable",
    ),
    Entry(
        "service_failed",
        "A service beside sending failed, and is tried again each second. Once is nothing; again "
        "and again it stands still.",
        OPERATOR, DAY, "Do what the line says; `certmail doctor` says whether it stands still.", (DOCTOR,),
    ),
    Entry(
        "standstill",
        "A service beside sending has not got on for a minute; the line says what waits for it.",
        OPERATOR, NOW, "Look for `service_failed` of that service; restart the workers if there is none.",
        (DOCTOR,), "certmailservicestandsstill",
    ),
    Entry("goes_on", "A service that stood still gets on again."),
    Entry(
        "record_waits",
        "The database cannot be used. Reminders leave all the same; what happens waits in Redis.",
        OPERATOR, NOW, "Bring the database back, before 85 % of CERTMAIL_EVENTS_MAX wait.", (DOCTOR,),
        "sql-unreachable",
    ),
    Entry("record_goes_on", "The database answers again, and what waited is recorded."),
    Entry(
        "another_recorder",
        "Another worker recorded what this one was about to: it gives way. Each event is recorded once.",
    ),
    Entry(
        "events_set_aside",
        "Events cannot be recorded; they are kept in the table `set_aside`, with the reason, and "
        "all others go on.",
        OPERATOR, DAY, "See why; `certmail doctor` lists them.", (DOCTOR,), "certmaileventssetaside",
    ),
    Entry(
        "deliveries_unknown",
        "The record has outcomes of reminders whose enqueueing it does not have: SQL is older than "
        "Redis, or somebody makes up events.",
        OPERATOR, DAY, "See whether SQL was restored, and who can write Redis.", (DOCTOR,),
    ),
    Entry(
        "recipient_unreadable",
        "The record lacks a reminder's recipient, since its seal does not open here. The reminder "
        "itself is sent.",
        OPERATOR, DAY, "See that the worker has all vault keys.", (DOCTOR,),
    ),
    Entry(
        "sender_unreadable",
        "The record lacks a mailbox's address, since its seal does not open here.",
        OPERATOR, DAY, "See that the worker has all vault keys.", (DOCTOR,),
    ),
    Entry("forgotten", "What was to be forgotten by now is: contents, addresses, records, webhooks."),
    Entry(
        "durability_none",
        "CERTMAIL_DURABILITY=none: reminders may be lost or sent twice when Redis crashes.",
        OPERATOR, WEEK, "Unless it is for trying out, give Redis appendonly yes, appendfsync always.",
        (DOCTOR,),
    ),
    Entry(
        "only_to_some",
        "CERTMAIL_ONLY_TO is set: whom it does not name gets no mail; their reminders end as `suppressed`.",
        OPERATOR, WEEK, "Unless it is for trying out, leave it unset.", (DOCTOR,),
    ),
    Entry(
        "starts_without_database",
        "A worker started while the database was away. It sends; what happens waits in Redis.",
        OPERATOR, NOW, "Bring the database back.", (DOCTOR,), "sql-unreachable",
    ),
    Entry(
        "limits_not_published",
        "A worker that started could not read limits in the database: lanes keep those they have.",
        OPERATOR, WEEK, "Bring the database back, then restart the worker if limits have changed.", (DOCTOR,),
    ),
    Entry(
        "stopped_with_work_left",
        "A worker ended before all that was under way did: what had begun becomes `uncertain`.",
        OPERATOR, WEEK, "Give it more time to end than CERTMAIL_LEASE_SECONDS.", (UNCERTAIN,),
    ),
    Entry("stops", "A process was told to stop, and says how it does."),
    Entry("stop_failed", "Something raised while a worker let go of its connections; it ends all the same.", CERTMAIL, WEEK, _REPORT),
    Entry("task_failed", "A task raised something that nobody foresaw; a reminder of it is taken up again when its lease ends.", CERTMAIL, DAY, _REPORT),
    Entry(
        "task_interrupted",
        "Redis did not answer before a request had begun: the reminder is taken up again when its "
        "lease ends.",
        OPERATOR, NOW, "Bring Redis back.", (DOCTOR,), "redis-unreachable",
    ),
    Entry("completion_failed", "What a task came to could not be told to Celery; the ledger has it.", CERTMAIL, DAY, _REPORT),
    Entry(
        "message_dropped",
        "Celery's queue held something that is no doorbell of certmail's. It is thrown away.",
        OPERATOR, DAY, "See who else writes there: another Celery application, or somebody.", (DOCTOR,),
    ),
    Entry(
        "command_refused",
        "Somebody sent a worker a Celery command that would change it; workers answer only those that look.",
        OPERATOR, DAY, "See who can write Redis.",
    ),
    Entry(
        "embedded_server_down",
        "The embedded Valkey had ended and could not be started again; it is tried again.",
        OPERATOR, NOW, "Read valkey.log in the data directory; mostly the disk is full.", (DOCTOR,),
        "redis-unreachable",
    ),
)  # fmt: skip

CONNECTIONS: Final = (
    Entry(
        "connection",
        "A connection's state has changed: `active`, or `attention` with a code.",
        do=_CODE, commands=(SHOW,), see="certmailconnectionsinattention",
    ),
    Entry(
        "certificate_expiring",
        "A customer's certificate ends soon; then Google gives no more tokens.",
        OPERATOR, WEEK, "Make the next one, and have the tenant upload it.",
        ("certmail connections rotate CONNECTION",), "certmailcertificateending",
    ),
    Entry("not_probed", "A connection could not be tried out just now; it is tried again.", OPERATOR, WEEK, _CODE, (PROBE,)),
    Entry("not_used", "A token of a connection that rests could not be used to keep it alive; it is tried again.", OPERATOR, WEEK, "Try the connection out.", (PROBE,)),
    Entry("campaigns_planned", "A tenant's campaigns were planned: so many mails became jobs, so many jobs were withdrawn."),
    Entry(
        "campaign_not_planned",
        "A campaign could not be planned; the others are. What it had enqueued still leaves, and it "
        "is tried again, later each time.",
        OPERATOR, DAY, "Mend what the line's `error` says.", (DOCTOR,), "certmailcampaignnotplanned",
    ),
    Entry(
        "caretaker_waits",
        "Connections are not looked after, since the database is away. Those that work go on.",
        OPERATOR, DAY, "Bring the database back.", (DOCTOR,), "sql-unreachable",
    ),
    Entry("working_copy_renewed", "Redis lacked, or had otherwise, what SQL says of connections; it was written anew.", OPERATOR, WEEK, "If nobody restored Redis, see who can write there."),
    Entry("worker_request", "What the gateway asked of a worker about a connection was done."),
    Entry(
        "tenant_not_signed",
        "A tenant's public key could not be signed, since the deployment's key does not open.",
        OPERATOR, NOW, "Give this process the vault key.", (DOCTOR,),
    ),
    Entry(
        "copy_not_written",
        "A connection could not be written to Redis, since its secrets do not open: its reminders wait.",
        OPERATOR, NOW, "Give this process the vault key.", (DOCTOR,),
    ),
    Entry(
        "api_keys_not_written",
        "API keys are not renewed in Redis, since this process has another vault key than they were written with.",
        OPERATOR, NOW, "Give all processes the same CERTMAIL_VAULT_KEYS.", (DOCTOR,),
    ),
    Entry(
        "api_key_not_in_sql",
        "Redis held an API key that the database does not have, or has revoked; it was taken out.",
        OPERATOR, DAY, "Unless SQL was restored, see who can write Redis.", ("certmail keys list",),
    ),
    Entry(
        "not_written_by_certmail",
        "Something in Redis that only certmail writes was written, or put there, by somebody else. It was not used.",
        OPERATOR, NOW, _ALTERED, (DOCTOR,), "certmailforged",
    ),
    Entry(
        "operator_not_written_by_certmail",
        "The row of an operator in the database was not written by certmail, or needs a vault key that is not there. It lets nobody in.",
        OPERATOR, NOW, "See who can write to the database; `certmail operators remove` takes the row out.", ("certmail operators list",),
    ),
    Entry("grant_given_back", "A permission that is no longer needed was given back to Google."),
    Entry("grant_left", "A permission was not given back, since another connection sends by it, or nobody knows whose it is."),
    Entry("outcome_not_kept", "Redis was away when a sign-in's outcome was to be kept; its page could not be shown again."),
)  # fmt: skip

WEBHOOKS: Final = (
    Entry(
        "webhook_backing_off",
        "An endpoint has taken nothing for a while (`error`): from now on one message at a time tries it. "
        "What happens is kept for it; said once.",
        UPSTREAM, DAY, "See why the receiver at `host` does not answer 2xx.", (WEBHOOK, "certmail webhooks test WEBHOOK"), "certmailwebhookdisabled",
    ),
    Entry("webhook_active", "An endpoint that had failed takes messages again, those that waited first."),
    Entry(
        "webhook_disabled",
        "An endpoint is sent nothing any more: it failed for five days, or answered 410. What happens is "
        "kept for it for CERTMAIL_WEBHOOK_DAYS; said once.",
        UPSTREAM, DAY, "Mend the receiver, then resume the endpoint, or remove it.",
        (WEBHOOK, "certmail webhooks resume WEBHOOK", "certmail webhooks replay WEBHOOK --failed"), "certmailwebhookdisabled",
    ),
    Entry(
        "webhook_unsigned",
        "The secret of an endpoint does not open: nothing is sent to it until it does, and nothing is lost.",
        OPERATOR, DAY, _CODE, (DOCTOR,),
    ),
    Entry(
        "webhooks_wait",
        "The database does not take down what came of webhooks: none is sent until it does. Some may be sent twice then.",
        OPERATOR, NOW, "Bring the database back.", (DOCTOR,),
    ),
)  # fmt: skip

GATEWAY: Final = (
    Entry("request", "One request to the gateway, and how it ended. Refusals of one kind are counted."),
    Entry("enqueued", "The reminders of a batch that are in, by their ids; `request` is the batch's."),
    Entry(
        "api_unavailable",
        "A request was answered 503: a store does not answer, or is full. Nothing was taken in.",
        OPERATOR, NOW, "See the line's `store`.", (DOCTOR,), "redis-unreachable",
    ),
    Entry("api_failed", "A request was answered 500: something raised that nobody foresaw.", CERTMAIL, DAY, _REPORT),
    Entry("answer_not_kept", "An answer is not kept for its Idempotency-Key: Redis was away or nearly full. The same request would be carried out again; reminders of the same key are still not sent twice."),
    Entry("page_failed", "A page of the console could not be shown: something raised that nobody foresaw.", CERTMAIL, DAY, _REPORT),
    Entry("page_unavailable", "A page of the console needs a store that does not answer.", OPERATOR, NOW, _CODE, (DOCTOR,)),
    Entry("export_cut_off", "The database went away while a file of deliveries was written for somebody at the console; the file was cut off.", OPERATOR, NOW, _CODE, (DOCTOR,)),
    Entry("live_pages_wait", "A store does not answer: open pages of the console are not renewed until it does."),
    Entry("sign_in_refused", "Somebody typed a wrong operator password. Tries are limited.", OPERATOR, DAY, "If there are many and nobody mistyped, see who can reach the console."),
    Entry("google_sign_in_refused", "Somebody came back from Google and was not let in to the console; `why` says what did not fit.", OPERATOR, DAY, "`no operator`: `certmail operators add NAME --address …` lets them in. Else see the settings CERTMAIL_OPERATOR_OAUTH_CLIENT_ID and CERTMAIL_OPERATOR_DOMAINS."),
    Entry("signed_in", "An operator signed in to the console."),
    Entry("bad_request", "Somebody sent what is no HTTP request; it was refused.", UPSTREAM, WEEK, "If it is your application: see what it sends."),
    Entry(
        "connection_refused",
        "The gateway has as many connections open as it may; one more was refused.",
        OPERATOR, DAY, "See who opens them; CERTMAIL_GATEWAY_CONNECTIONS and …_PER_ADDRESS set the bounds.",
    ),
    Entry("worker_request_not_sent", "Redis was away when a worker was to be asked about a connection; the page says so.", OPERATOR, NOW, "Bring Redis back.", (DOCTOR,)),
)  # fmt: skip

PROCESSES: Final = (
    Entry("listens", "On stdout: where a process listens, for whoever started it."),
    Entry("health_listens", "Where a worker answers `/healthz`, `/readyz` and `/metrics`."),
    Entry("metrics_listen", "Where a gateway answers `/metrics`."),
    Entry(
        "not_alive",
        "A worker's loop has not turned for 20 seconds, or it has not read the queue for 3 minutes: "
        "`/healthz` says so, and whoever watches the process starts it anew.",
        OPERATOR, DAY, "See what the worker logged before, and whether its machine is overloaded.", (DOCTOR,),
        "certmailloopblocked",
    ),
    Entry("health_request_failed", "A page for probes or Prometheus could not be answered.", CERTMAIL, DAY, _REPORT),
    Entry(
        "service_manager_not_told",
        "systemd does not take in what a process tells it; with a watchdog it will end the process.",
        OPERATOR, DAY, "See that NOTIFY_SOCKET of its unit can be reached (`Type=notify`).",
    ),
    Entry("up", "`certmail up` says what it starts, and where."),
    Entry("process_ended", "A process of `certmail up` ended, and is started again.", OPERATOR, DAY, "Read what it logged last."),
    Entry("does_not_run", "A process cannot start, or cannot go on; `code` and `remedy` say why.", OPERATOR, NOW, "Do what the line's `remedy` says.", (DOCTOR,)),
    Entry("unforeseen", "Something raised that nobody foresaw, where nothing else catches it.", CERTMAIL, DAY, _REPORT),
    Entry("line_lost", "A log line could not be written as it was given.", CERTMAIL, WEEK, _REPORT),
    Entry("traces_off", "Traces are asked for by OpenTelemetry's variables, and cannot be told: `error` says why. Nothing else is different.", OPERATOR, WEEK, "Do what `remedy` says."),
    Entry(
        "traces_not_exported",
        "Who is to be told of traces does not take them, or not in time: `spans` of them are gone. "
        "Reminders leave as ever.",
        OPERATOR, WEEK, "See whether what OTEL_EXPORTER_OTLP_ENDPOINT names answers.",
    ),
    Entry("unknown_settings", "CERTMAIL_… variables are set that this version does not know.", OPERATOR, WEEK, "Correct or remove them; docs/settings.md has all that there are."),
    Entry("foreign_environment", "Variables that other libraries read were taken out of the environment, so that they lead certmail nowhere."),
    Entry("flower_without_tls", "Flower listens beyond this machine, in plain HTTP.", OPERATOR, DAY, "Put a proxy that speaks HTTPS in front of it."),
    Entry("events_interrupted", "Flower does not hear the workers' events just now; it tries again.", OPERATOR, WEEK, "If it goes on, see whether Redis answers.", (DOCTOR,)),
    Entry("request_refused", "Flower refused a request: a wrong password, or one that would change something.", OPERATOR, WEEK, "If nobody mistyped, see who can reach it."),
)  # fmt: skip

EVENTS: Final = {
    "Deliveries": DELIVERIES,
    "Workers and stores": FLEET,
    "Tenants and connections": CONNECTIONS,
    "Webhooks": WEBHOOKS,
    "The gateway": GATEWAY,
    "Processes": PROCESSES,
}
"""Every event, by what it is about."""
