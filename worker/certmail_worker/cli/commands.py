"""Every command: where it is, and what it says of itself in a list.

A test holds the sentences against the commands' own.

This is all that `certmail --help` and a shell's completion read: a command's module, and what that
needs, is imported when the command is run, or its own help is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Command:
    """A function of a module of this package, and the first sentences of its docstring.

    What may be the first that is done at all, or needs no stores, is run whether there is a
    deployment or not (`anywhere`).
    """

    module: str
    function: str
    help: str
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that stand behind a word of their own."""

    help: str
    commands: Mapping[str, Command]


COMMANDS: Final[Mapping[str, Command | Group]] = {
    "demo": Command(
        "demo",
        "demo",
        "Send a real campaign on this machine, with the sandbox as Google. Stores, worker, pacing, record and all.",
        anywhere=True,
    ),
    "up": Command(
        "processes.up",
        "up",
        "Run everything on this machine: stores, worker, console and Flower, until Ctrl-C.",
        anywhere=True,
    ),
    "worker": Command(
        "processes.worker",
        "worker",
        "Run one worker (celery -A certmail_worker.app worker does the same).",
        anywhere=True,
    ),
    "flower": Command(
        "processes.flower",
        "flower",
        "Run Flower, Celery's dashboard: behind CERTMAIL_FLOWER_BASIC_AUTH, to look at only. Prints its address first.",
        anywhere=True,
    ),
    "sandbox": Command(
        "processes.sandbox",
        "sandbox",
        "Run Google in one process, for demos and tests. Prints its address first.",
        anywhere=True,
    ),
    "tenants": Group(
        "The companies whose reviewers are reminded.",
        {
            "add": Command(
                "tenants.add",
                "add",
                "Add a tenant, with a connection `default` that is still to be set up.",
                anywhere=True,
            ),
            "set": Command(
                "tenants.set",
                "set_",
                "Change a tenant's name, its rule for unknown outcomes, its domains, or whom its mails name. What is not named stays.",
            ),
            "list": Command("tenants.list", "list_", "List the tenants."),
            "show": Command(
                "tenants.show",
                "show",
                "Show a tenant: its connections, how many reminders wait, and what needs attention.",
            ),
            "suspend": Command(
                "tenants.suspend",
                "suspend_tenant",
                "Take nothing more in for a tenant, and let nothing leave; what waits stays. See `certmail tenants resume`.",
            ),
            "resume": Command(
                "tenants.suspend",
                "resume_tenant",
                "Take reminders in again for a suspended or paused tenant, and let what waited leave.",
            ),
            "history": Command(
                "tenants.history",
                "history",
                "Tell what happened to a tenant and its connections, and who did it, the newest first.",
            ),
            "remove": Command(
                "tenants.remove",
                "remove_tenant",
                "Remove a tenant for good, with its connections, keys and addresses. What was done for it stays on record.",
            ),
        },
    ),
    "templates": Group(
        "What tenants write in their mails themselves: words by block, and their look.",
        {
            "list": Command(
                "templates.list",
                "list_",
                "List the tenants that write in their mails themselves; of one tenant, the versions.",
            ),
            "show": Command(
                "templates.show",
                "show",
                "Show what a tenant has published; without one, certmail's own words by block, and what they may name.",
                anywhere=True,
            ),
            "check": Command(
                "templates.check",
                "check",
                "Say what is wrong with templates in a folder, and what is worth knowing. It needs no server. Ends with status 1 where they could not be published so.",
                anywhere=True,
            ),
            "publish": Command(
                "templates.publish",
                "publish",
                "Publish a tenant's templates, all of a folder: its mails are written with them from the next minute on. With a fault nothing is published, and the status is 1.",
            ),
            "diff": Command(
                "templates.diff",
                "diff",
                "Show a tenant's words beside certmail's own, and where those have changed since. The tenant's words stay in its mails; everything else follows certmail.",
            ),
            "reset": Command(
                "templates.publish",
                "reset",
                "Go back to certmail's own words and look for a tenant; the versions before are kept.",
            ),
        },
    ),
    "connections": Group(
        "The mailboxes that tenants send from.",
        {
            "add": Command(
                "connections.add",
                "add",
                "Set up a connection. For a customer owned application this makes the key and the certificate to upload.",
            ),
            "set": Command(
                "connections.set",
                "set_",
                "Change the limits of a connection, only those given. They count from the next reminder on; nothing else changes.",
            ),
            "list": Command(
                "connections.list", "list_", "List the connections, with their states."
            ),
            "show": Command(
                "connections.show",
                "show",
                "Show one connection: its state, what it waits for, and what to do if it does not work.",
            ),
            "certificate": Command(
                "connections.certificate",
                "certificate",
                "Write the certificate to stdout, for uploading to the service account. With --as, commands that make project, API and account, too.",
            ),
            "rotate": Command(
                "connections.rotate",
                "rotate",
                "Make the next key and certificate. The present ones go on until Google knows the new ones: there is no gap.",
            ),
            "probe": Command(
                "connections.probe",
                "probe",
                "Try a connection out step by step. Then it is `active`, or `attention` with Google's words and a remedy.",
            ),
            "test": Command(
                "connections.probe",
                "send_test",
                "Send a test mail from the mailbox to itself, after the steps of `probe`.",
            ),
            "link": Command(
                "connections.link",
                "link",
                "Link a Google account: print the page where its owner signs in and consents. There the owner then says whether to send from it.",
            ),
            "setup-link": Command(
                "connections.setup_link",
                "setup_link",
                "Make a link for a tenant's administrator, good for seven days. It opens in the first browser in which Start is pressed, until it is done.",
            ),
            "suspend": Command(
                "connections.suspend",
                "suspend_connection",
                "Stop a connection: its reminders wait until it is resumed. What is under way ends.",
            ),
            "resume": Command(
                "connections.suspend",
                "resume_connection",
                "Try a suspended connection out and use it again. One that was not set up yet goes back to that.",
            ),
            "remove": Command(
                "connections.remove",
                "remove_connection",
                "Remove a connection for good. Its unfinished reminders are called off, and its access at Google is given back.",
            ),
        },
    ),
    "keys": Group(
        "API keys of upstream applications.",
        {
            "create": Command(
                "keys", "create", "Make an API key. It is shown once, and kept nowhere."
            ),
            "list": Command("keys", "list_", "List the keys, those that were revoked too."),
            "revoke": Command(
                "keys", "revoke", "Let a key be good for nothing, from the next request on."
            ),
            "deployment": Command(
                "keys",
                "deployment",
                "Print what producers are given as CERTMAIL_DEPLOYMENT_KEY. With it they know a tenant's public key from a forged one.",
            ),
        },
    ),
    "operators": Group(
        "Persons who sign in to the console, and what they may do.",
        {
            "add": Command(
                "operators.add", "add", "Make an account for somebody who signs in to the console."
            ),
            "list": Command("operators.list", "list_", "List the operators, with their roles."),
            "role": Command(
                "operators.change",
                "change_role",
                "Change what an operator may do, sessions that are under way included.",
            ),
            "reset": Command(
                "operators.add", "reset", "Give an operator another password; all sessions end."
            ),
            "disable": Command(
                "operators.change", "disable", "Let an operator in no more; all sessions end."
            ),
            "enable": Command("operators.change", "enable", "Let a disabled operator in again."),
            "remove": Command(
                "operators.change",
                "remove",
                "Forget an operator; all sessions end. What was done stays on record, with the name.",
            ),
        },
    ),
    "webhooks": Group(
        "Who is told what becomes of reminders, by signed requests.",
        {
            "add": Command(
                "webhooks.add",
                "add",
                "Tell an address what becomes of reminders from now on. The secret that signs it is shown once.",
            ),
            "list": Command("webhooks.list", "list_", "List the webhooks, with their states."),
            "show": Command(
                "webhooks.show",
                "show",
                "Show one webhook: its state and why, what waits for it, and its newest messages.",
            ),
            "test": Command(
                "webhooks.trial",
                "send_trial",
                "Send a signed trial to a webhook now, and say what came back. Ends with status 1 where it was not taken.",
            ),
            "change": Command(
                "webhooks.change",
                "change",
                "Change where a webhook leads, what it is told of, or its name; what is not named stays. So does its secret.",
            ),
            "pause": Command(
                "webhooks.pause",
                "pause",
                "Send nothing more to a webhook; what happens is kept for it. See `certmail webhooks resume`.",
            ),
            "resume": Command(
                "webhooks.pause",
                "resume",
                "Let a paused or disabled webhook be sent what waits for it, the oldest first.",
            ),
            "rotate": Command(
                "webhooks.rotate",
                "rotate",
                "Make another secret for a webhook, shown once. The one before signs as well for a day.",
            ),
            "replay": Command(
                "webhooks.replay",
                "replay",
                "Send messages of a webhook again, under the same webhook-id: one, all since a time, or all that failed.",
            ),
            "remove": Command(
                "webhooks.remove",
                "remove",
                "Remove a webhook for good, with its secret and what waits for it.",
            ),
        },
    ),
    "send": Command(
        "send.send",
        "send",
        "Enqueue reminders from a file. What is wrong with a row is said; the others are taken.",
    ),
    "status": Command(
        "status",
        "status",
        "Show where a reminder is, why, what was tried, and all that happened to it. Without the database: what Redis knows.",
    ),
    "cancel": Command(
        "cancel",
        "cancel",
        "Call off a reminder, or all of a campaign or tenant, before they are sent.",
    ),
    "attention": Command(
        "attention",
        "attention",
        "Say what does not go on by itself, and what to do about it. Ends with status 1 where anything does not. Reviewers' addresses are not shown.",
    ),
    "uncertain": Group(
        "Reminders of which nobody knows whether Gmail took them.",
        {
            "list": Command(
                "uncertain",
                "list_",
                "List those that are open, and who is to decide: a rule, somebody who looks, or you.",
            ),
            "settle": Command(
                "uncertain",
                "settle",
                "Say what became of reminders: of those named, or of all of a tenant, a campaign, or at all.",
            ),
        },
    ),
    "pause": Command(
        "pause",
        "pause",
        "Let nothing more leave. Reminders are still taken in and wait; what is under way ends.",
    ),
    "resume": Command("pause", "resume", "Let reminders leave again after `certmail pause`."),
    "deliveries": Group(
        "The record of what was delivered.",
        {
            "list": Command(
                "deliveries", "list_", "List deliveries from the record, the newest first."
            ),
            "totals": Command(
                "deliveries",
                "totals",
                "Count deliveries, by state; as JSON also by groups of states.",
            ),
            "reasons": Command(
                "deliveries",
                "reasons",
                "Count why deliveries were not sent, wait or are uncertain; by state and code of the reason. Of each state 20,000 at most are looked at.",
            ),
            "hours": Command(
                "deliveries",
                "hours",
                "Count the deliveries that were enqueued on a day, by the hour (UTC) and by state. Of the day's newest 20,000.",
            ),
            "export": Command(
                "deliveries",
                "export",
                "Write deliveries to a file, the newest first. However many there are, they are read some at a time.",
            ),
        },
    ),
    "campaigns": Group(
        "Campaigns on record, and what became of their reminders.",
        {"list": Command("campaigns", "list_", "Count the reminders of each campaign, by state.")},
    ),
    "campaign": Group(
        "Campaigns that certmail plans and runs: whom they remind, and when.",
        {
            "plan": Command(
                "campaign.plan",
                "plan",
                "Say who would be reminded when and why, and who not. Needs no server, and sends nothing.",
                anywhere=True,
            ),
            "rehearse": Command(
                "campaign.rehearsing.rehearse",
                "rehearse",
                "Run a campaign ahead of time, into a sink: each mail is planned, composed and recorded, and none leaves.",
                anywhere=True,
            ),
            "presets": Command(
                "campaign.presets",
                "presets",
                "Show the cadences to choose from, in words; with a name, as the rules that they are.",
                anywhere=True,
            ),
            "run": Command(
                "campaign.run",
                "run",
                "Run a campaign: its reviewers are reminded as its plan says, from now on.",
            ),
            "show": Command(
                "campaign.show",
                "show",
                "Show a campaign that runs: its reviewers, what was planned, and what comes next. Without one, all.",
            ),
            "progress": Command(
                "campaign.progress",
                "progress",
                "Say what is left to reviewers. Who is done gets nothing more from now on.",
            ),
            "remind": Command(
                "campaign.remind",
                "remind",
                "Remind reviewers of a campaign now, beside what is planned. Who is done is not reminded.",
            ),
            "pause": Command(
                "campaign.change",
                "pause",
                "Let nothing of a campaign leave until it is resumed. Its reviewers and their progress are still taken.",
            ),
            "resume": Command(
                "campaign.change",
                "resume",
                "Let a paused campaign go on; what it missed is caught up on once.",
            ),
            "stop": Command(
                "campaign.change",
                "stop",
                "Stop a campaign for good: nothing of it leaves any more. What went stays on record.",
            ),
            "remove": Command(
                "campaign.change",
                "remove",
                "Remove a stopped campaign with its reviewers. What went to them stays on record.",
            ),
        },
    ),
    "erase": Command(
        "erase",
        "erase",
        "Forget an address: what waits for it is called off. The record keeps what was done without saying for whom.",
    ),
    "preview": Command(
        "preview.preview",
        "preview",
        "Write any mail to stdout, and send nothing. Needs no stores, but for --tenant and --job.",
        anywhere=True,
    ),
    "simulate": Command(
        "simulate",
        "simulate",
        "Say how long a campaign takes under Google's limits, and what it asks of Redis. Nothing is sent.",
        anywhere=True,
    ),
    "doctor": Command(
        "doctor",
        "doctor",
        "Examine settings, stores, ledger and connections: what is wrong, and what to do about it.",
        anywhere=True,
    ),
    "logs": Group(
        "What processes log.",
        {
            "explain": Command(
                "processes.logs",
                "explain_",
                "Say what an event or a code in the log means, who has to do something, what, and how soon.",
                anywhere=True,
            ),
        },
    ),
    "vault": Group(
        "The keys that private keys and tokens are sealed with.",
        {
            "keygen": Command(
                "vault",
                "keygen",
                "Print a new key for CERTMAIL_VAULT_KEYS; it is shown once and stored nowhere.",
                anywhere=True,
            ),
            "rotate": Command(
                "vault",
                "rotate",
                "Re-encrypt everything under the newest vault key, while workers run. Says which keys are no longer needed.",
                anywhere=True,
            ),
        },
    ),
    "db": Group(
        "The SQL record.",
        {
            "upgrade": Command(
                "db",
                "db_upgrade",
                "Bring the tables of CERTMAIL_DATABASE_URL to this version's form.",
                anywhere=True,
            ),
        },
    ),
    "redis": Group(
        "The users that certmail's processes are in Redis.",
        {
            "acl": Command(
                "processes.redis_users",
                "acl",
                "Print what gives each process its own user in Redis, with no more rights than it needs. Changes nothing.",
                anywhere=True,
            ),
        },
    ),
    "gateway": Command(
        "processes.gateway",
        "gateway",
        "Run the gateway: console, set-up links, HTTP API and OAuth callback. /docs describes the API; /healthz and /readyz say how the gateway is.",
        anywhere=True,
    ),
}
