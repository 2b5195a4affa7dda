"""The runbook's commands are run as they stand there, in a deployment where something is wrong."""

from __future__ import annotations

from pathlib import Path

from support.data.pages import page
from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for

NO_ANSWER = {"status": 503, "headers": {}, "body": "a proxy's page"}
LEFT: dict[tuple[str, ...], str] = {
    ("doctor", "--repair", "--without-copy"): "there is a copy: this Redis is not empty",
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

        ran: list[list[str]] = []
        for words in page("docs/runbook.md").command_lines():
            only_mentioned = len(words) == 1 and words != ["doctor"]
            if tuple(words) in LEFT or only_mentioned or words in ran:
                continue
            given = [jobs[1] if word == "JOB" else word for word in words]
            done = deployment.run(*given)
            # A doctor that finds something says so.
            assert done.status == 0 or (words[0] == "doctor" and done.status == 1), (given, done)
            assert "Traceback" not in done.err
            ran.append(words)

        assert len(ran) > 15
        assert deployment.status(jobs[1])["state"] == "accepted"
        wait_for("it is sent again", lambda: deployment.status(jobs[0])["state"] == "accepted")
