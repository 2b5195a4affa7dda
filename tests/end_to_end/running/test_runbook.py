"""The runbook's commands, and those of the pages beside it, are run as they stand there.

Once in a deployment where something is wrong, and those of Redis in one that an operator has.
"""

from __future__ import annotations

from pathlib import Path

from certmail_config.admin.campaigns.running import put_campaign
from support.campaigns.kept import a_campaign
from support.data.pages import page
from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for
from support.processes.documented import commands, run
from support.servers.operated import operated
from support.servers.postgres import Postgres

NO_ANSWER = {"status": 503, "headers": {}, "body": "a proxy's page"}
PAGES = ("docs/runbook.md", "docs/operating.md", "docs/security.md", "docs/upgrading.md")
LEFT: dict[tuple[str, ...], str] = {
    ("doctor", "--repair", "--without-copy"): "there is a copy: this Redis is not empty",
    ("connections", "setup-link", "acme"): "this one works: it wants --again, which is run",
    ("connections", "rotate"): "named without its connection",
    ("connections", "link"): "named without its connection",
    ("operators", "add"): "named without whom: it is run with one",
    ("preview", "--job", "JOB"): "the content of one that has ended is deleted, which it says",
    ("preview", "--job", "JOB", "--reminder", "reminder.json", "--format", "eml"): (
        "whoever enqueued has the file: the test of preview --job types it"
    ),
    ("webhooks", "test", "WEBHOOK"): "nobody listens there: make signatures sends some",
    ("redis", "acl", "--server", "7.0", "--passwords", "/etc/certmail/redis-passwords"): (
        "make walk types it, where that file is"
    ),
}
"""What is not run, and why."""


def test_every_command_does_what_it_is_there_for(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK, CERTMAIL_UNCERTAIN_5XX="hold") as deployment:
        deployment.link()
        deployment.worker()
        jobs = []
        for name in ("q4", "q3"):
            deployment.fault(NO_ANSWER)
            [job] = deployment.send(campaign(1, campaign=name))
            wait_for("it is held", lambda job=job: deployment.status(job)["state"] == "uncertain")  # type: ignore[misc]
            jobs.append(job)

        put_campaign(deployment.admin, a_campaign())
        key = deployment.ask("keys", "create", "an application", "--tenant", "acme")
        webhook = deployment.ask("webhooks", "add", "https://hooks.example/", "--every-tenant")
        placeholders = {"JOB": jobs[1], "ID": key["id"], "WEBHOOK": webhook["id"], "NAME": "ann"}

        ran: list[list[str]] = []
        for words in (each for name in PAGES for each in page(name).command_lines()):
            only_mentioned = len(words) == 1 and words != ["doctor"]
            if tuple(words) in LEFT or only_mentioned or words in ran:
                continue
            given = [placeholders.get(word, word) for word in words]
            given += ["--yes"] if words[0] == "erase" else []  # it asks whoever sits there
            done = deployment.run(*given)
            # A doctor that finds something says so.
            assert done.status == 0 or (words[0] == "doctor" and done.status == 1), (given, done)
            assert "Traceback" not in done.err
            ran.append(words)

        assert len(ran) >= 30
        assert deployment.status(jobs[1])["state"] == "accepted"
        wait_for("it is sent again", lambda: deployment.status(jobs[0])["state"] == "accepted")


def test_the_stores_answer_as_it_says(
    tmp_path: Path, postgres_database: str, postgres_server: Postgres
) -> None:
    found = commands("docs/runbook.md")
    with operated(tmp_path, postgres_database, postgres_server) as redis:
        said = {name: run(script, redis.environment) for name, script in found.items()}
        limit = run('redis-cli -u "$REDIS_ADMIN_URL" CONFIG GET maxmemory', redis.environment)

    assert said.keys() == {"CertmailStoreDown", "CertmailRedisFull"}
    assert "PONG" in said["CertmailStoreDown"]
    assert "(1 row)" in said["CertmailStoreDown"]
    assert "used_memory:" in said["CertmailRedisFull"]
    assert limit.split() == ["maxmemory", str(4 * 1024**3)]
