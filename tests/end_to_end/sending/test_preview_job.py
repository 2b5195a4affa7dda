"""A reminder's mail, composed once more: the same bytes, or why they may be others."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from certmail_config.admin.templates.publishing import publish
from certmail_config.process.release import release
from certmail_config.templates.documents import read_document
from support.deployment.deployment import (
    QUICK,
    Deployment,
    Ran,
    campaign,
    new_deployment,
    recorded_in,
)

MESSAGE_ID = re.compile(rb"Message-ID:.*?\r\n(?! )", re.DOTALL)
REMINDER = {
    "tenant": "acme",
    "to": "reviewer0@people.example",
    "name": "Réviewer Ñumber 0",
    "campaign": "q4",
    "campaign_name": "Quarterly secret campaign",
    "due_at": "2099-12-11T17:00:00+01:00",
    "pending": 1,
    "completed": 3,
    "link": "https://iga.example/r/0",
}


@pytest.fixture
def deployment(tmp_path: Path, ready_database: str) -> Iterator[Deployment]:
    with new_deployment(tmp_path / "data", **QUICK, **recorded_in(ready_database)) as made:
        made.link()
        yield made


def say(deployment: Deployment, subject: str) -> None:
    """Publish a subject, as the tenant's own words, and due dates for the calendar."""
    texts = {"de": {"reminder": {"subject": {"text": subject}}}}
    templates = {"locale": "de", "brand": {"calendar": True}, "texts": texts}
    publish(deployment.admin, "acme", read_document(templates))


def preview(deployment: Deployment, *arguments: str) -> Ran:
    return deployment.run("preview", *arguments, "--format", "eml")


def arrived(deployment: Deployment) -> bytes:
    [message] = deployment.messages()
    return base64.urlsafe_b64decode(message["raw"] + "==")


def test_what_was_sent_is_written_again_to_the_byte_in_the_words_of_then(
    deployment: Deployment,
) -> None:
    say(deployment, "Erste Fassung: {{ campaign }}")
    deployment.worker()
    # Its answer is lost: nobody knows, and its content is kept until somebody does.
    deployment.fault("reset_after")
    [job] = deployment.send(campaign(1))
    deployment.wait_recorded([job], {"uncertain"})

    say(deployment, "Zweite Fassung: {{ campaign }}")
    ran = preview(deployment, "--job", job.upper())
    assert ran.status == 0, ran.err
    [attempt] = deployment.ask("status", job)["attempts"]
    assert sha256(ran.out.encode()).hexdigest() == attempt["message_sha256"]
    assert 'Content-Disposition: attachment; filename="due-date.ics"' in ran.out
    # Google replaces nothing else.
    assert MESSAGE_ID.sub(b"", ran.out.encode()) == MESSAGE_ID.sub(b"", arrived(deployment))
    assert "The same message to the byte: attempt 1, composed for 20" in ran.err
    assert "version 1 of the templates, de, " in ran.err
    assert attempt["message_sha256"] in ran.err
    assert (attempt["template_version"], attempt["release"]) == (1, str(release(None)))
    assert "Erste Fassung" in deployment.run("preview", "--job", job).out

    deployment.admin.change_tenant("acme", name="Acme Renamed")
    ran = preview(deployment, "--job", job)
    assert ran.status == 1
    assert "Another message than the one sent: attempt 1" in ran.err
    assert "It may be that the tenant's name, its address for answers or its mailbox" in ran.err
    assert "Acme_Renamed" in ran.out or "Acme Renamed" in ran.out


def test_once_its_content_is_gone_whoever_enqueued_it_can_have_it_proven(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.worker()
    [job] = deployment.send(campaign(1))
    deployment.wait_recorded([job], {"accepted"})

    ran = preview(deployment, "--job", job)
    assert (ran.status, ran.out) == (1, "")
    assert "is kept no more: certmail deletes it when a reminder ends" in ran.err
    assert "this one is accepted." in ran.err
    assert "attempt 1, composed for" in ran.err
    assert "--reminder FILE" in ran.err

    file = tmp_path / "reminder.json"
    file.write_text(json.dumps(REMINDER), "utf-8")
    ran = preview(deployment, "--job", job, "--attempt", "1", "--reminder", str(file))
    assert ran.status == 0, ran.err
    assert MESSAGE_ID.sub(b"", ran.out.encode()) == MESSAGE_ID.sub(b"", arrived(deployment))
    assert "The same message to the byte" in ran.err

    file.write_text(json.dumps(REMINDER | {"pending": 2}), "utf-8")
    ran = preview(deployment, "--job", job, "--reminder", str(file))
    assert ran.status == 1
    assert "It may be that its content was another; or the tenant's name" in ran.err

    for text, sentence in (
        ("[1]", "is no JSON object"),
        ('{"tenant": "acme"}', "is no reminder: to: "),
    ):
        file.write_text(text)
        ran = preview(deployment, "--job", job, "--reminder", str(file))
        assert (ran.status, ran.out) == (2, "")
        assert sentence in ran.err


def test_what_was_not_sent_yet_is_written_as_it_would_be_now(deployment: Deployment) -> None:
    say(deployment, "Fassung von heute: {{ campaign }}")
    [job] = deployment.send(campaign(1))
    ran = deployment.run("preview", "--job", job)
    assert ran.status == 0
    assert "No request is on record for it: so it would be written now." in ran.err
    assert ran.out.startswith("Subject: Fassung von heute: Quarterly secret campaign")

    assert "There is no attempt 2 of it on record: none." in (
        deployment.run("preview", "--job", job, "--attempt", "2").err
    )
    for arguments in (("--job", "nobody"), ("--job", job, "--tenant", "acme"), ("--attempt", "1")):
        ran = preview(deployment, *arguments)
        assert (ran.status in {1, 2}, ran.out) == (True, "")
