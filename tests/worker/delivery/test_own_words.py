"""Mails in a tenant's own words: what stands where, and that no reminder is lost to a template."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certmail_config.admin.templates.publishing import publish
from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.compose import PLAIN, compose
from certmail_config.compose.own.tenant_words import EVERYTHING, TenantWords, read_words
from certmail_config.compose.samples.letters import NOW, sample_letter
from certmail_config.crypto.sealing import Sealer
from certmail_config.jobs.contract import write_payload
from certmail_config.jobs.reminder import Reminder
from certmail_config.ledger import Job
from certmail_config.sql import registry
from certmail_config.templates.blocks import BLOCKS, MEASURES
from certmail_config.templates.documents import Document, read_document
from certmail_worker.delivery.own_words import compose_in
from certmail_worker.delivery.prepare import Prepared, prepare
from support.data.calendar_file import read_calendar
from support.deployment.one_tenant import OneTenant, one_tenant

LOGO = {"url": "https://static.acme.example/logo.png", "alt": "Acme"}
HOSTS = frozenset({"static.acme.example"})
REMINDER = Reminder(
    tenant="acme",
    to="anna@people.example",
    campaign_name="Q4",
    pending=3,
    link="https://iga.acme.example/",
)


def _words(texts: dict[str, Any], **more: Any) -> TenantWords:
    document = read_document({"texts": texts, **more})
    return read_words(7, document.written().encode(), (), HOSTS)


def _blocks(kind: str = "reminder", locale: str = "en", **texts: str) -> dict[str, Any]:
    return {locale: {kind: {name: {"text": text} for name, text in texts.items()}}}


def _mail(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


def _parts(raw: bytes) -> tuple[str, str]:
    mail = _mail(raw)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def test_a_logo_that_is_no_longer_allowed_takes_the_look_and_not_the_language() -> None:
    document = read_document({"locale": "de", "brand": {"name": "A", "logo": LOGO}})
    words = read_words(7, document.written().encode(), (), frozenset())
    assert (words.locale, words.brand, list(words.failed)) == ("de", PLAIN, ["brand"])

    odd = read_document({"locale": "sv", "brand": {"name": "A"}})
    words = read_words(7, odd.written().encode(), (), ())
    assert (words.locale, words.brand.name, list(words.failed)) == (None, "A", ["locale"])
    assert read_words(7, odd.written().encode(), ("locale",), ()).locale is None


class TestWhatStandsWhere:
    def test_own_words_stand_in_their_blocks_and_all_else_is_certmails(self) -> None:
        texts = _blocks(
            subject="{{ campaign }}: {{ pending }} {{ pending | plural(one='decision', other='decisions') }}",
            ask="Dear {{ name | default('colleague') }},\nplease decide <b>soon</b>.",
            button="Go",
            footer="Acme only.",
        )
        written = sample_letter("reminder", "en", "rich")
        mail = compose_in(written, _words(texts, brand={"name": "The Acme", "sender": "Acme IT"}))

        text, html = _parts(mail.raw)
        plain_text, _ = _parts(compose(written).raw)
        assert mail.subject.endswith("decisions")
        assert "please decide <b>soon</b>." in text
        assert "please decide &lt;b&gt;soon&lt;/b&gt;." in html
        assert text.splitlines()[0] == plain_text.splitlines()[0]
        assert text.rstrip().endswith("Acme only.")
        assert _mail(mail.raw)["From"].addresses[0].display_name == "Acme IT"
        assert "The Acme" in html
        assert mail.locale == "en"

    @pytest.mark.parametrize(
        ("kind", "due", "said"),
        [
            ("reminder", 5, "of a reminder"),
            ("reminder", -5, "of what is overdue"),
            ("overdue", -5, "of what is overdue"),
            ("overdue", 5, "of a reminder"),
        ],
    )
    def test_the_words_are_those_of_the_kind_that_still_holds(
        self, kind: str, due: int, said: str
    ) -> None:
        texts = _blocks("reminder", subject="of a reminder")
        texts["en"] |= _blocks("overdue", subject="of what is overdue")["en"]
        written = replace(sample_letter(kind, "en", "rich"), due_at=NOW.replace(day=NOW.day + due))

        assert compose_in(written, _words(texts)).subject == said

    @pytest.mark.parametrize(
        ("locale", "said"),
        [("pt-BR", "Brasil"), ("pt-PT", "Portugal"), ("de", None), ("xx", "Portugal")],
    )
    def test_the_words_are_those_of_the_language_that_the_mail_is_in(
        self, locale: str, said: str | None
    ) -> None:
        texts = _blocks(locale="pt-BR", subject="Brasil") | _blocks(locale="pt", subject="Portugal")
        words = _words(texts, locale="pt")
        written = replace(
            sample_letter("reminder", locale, "rich"), locale=locale, fallback_locale="pt"
        )

        mail = compose_in(written, words)
        assert mail.subject == said if said else mail.subject == compose(written).subject

    def test_a_custom_mail_is_in_the_tenants_frame_of_words(self) -> None:
        texts = _blocks(
            "custom",
            text="Hello {{ name }}\n{{ text }}\nBest regards",
            subject="[Acme] {{ subject }}",
        )
        mail = compose_in(sample_letter("custom", "en", "rich"), _words(texts))

        assert mail.subject.startswith("[Acme] ")
        assert "Best regards" in _parts(mail.raw)[0]

    @pytest.mark.parametrize("kind", BLOCKS)
    @pytest.mark.parametrize("sample", ["thin", "rich", "nasty"])
    def test_the_largest_templates_are_not_clipped_and_load_nothing_but_the_logo(
        self, kind: str, sample: str
    ) -> None:
        texts = {
            each.value: ("&\n" * (MEASURES[each].lines - 1))
            + "&" * (MEASURES[each].longest - 2 * MEASURES[each].lines)
            for each in BLOCKS[kind]
        }
        mail = compose_in(
            sample_letter(kind, "de", sample),
            _words(_blocks(kind, "de", **texts), brand={"logo": LOGO, "footer": ["&" * 120] * 8}),
        )

        html = _parts(mail.raw)[1]
        assert len(html.encode()) < 102_000
        assert html.count("src=") == 1
        assert html.count(LOGO["url"]) == 1
        assert "url(" not in html


class TestWhatFails:
    @pytest.mark.parametrize(
        ("texts", "place", "why"),
        [
            (
                _blocks(subject="{{ campaign.__class__ }}"),
                "en/reminder/subject",
                "cannot stand here",
            ),
            (_blocks(subject="{{ gone }}"), "en/reminder/subject", "there is no variable `gone`"),
            (_blocks(button="x" * 99), "en/reminder/button", "writes more than may stand there"),
            (_blocks(footer="x\n" * 99), "en/reminder/footer", "more than 10 lines"),
        ],
    )
    def test_a_block_that_was_altered_is_left_out_and_the_mail_is_as_without_it(
        self, texts: dict[str, Any], place: str, why: str
    ) -> None:
        words, written = _words(texts), sample_letter("reminder", "en", "rich")

        assert compose_in(written, words) == compose(written)
        assert why in words.failed.pop(place)
        assert compose_in(written, words) == compose(written)
        assert words.failed == {}

    @pytest.mark.parametrize(
        ("document", "place"),
        [
            (b"{", EVERYTHING),
            (b'{"texts": []}', EVERYTHING),
            (b'{"brand": {"colour": "red; background: url(https://evil.example)"}}', EVERYTHING),
            (b'{"brand": {"colour": "#00000g"}}', "brand"),
            (b'{"brand": {"logo": {"url": "https://evil.example/x.png", "alt": "x"}}}', "brand"),
            (b'{"brand": {"name": "\\u202eAcme"}}', "brand"),
        ],
    )
    def test_an_altered_document_or_look_can_do_no_more_than_a_published_one(
        self, document: bytes, place: str
    ) -> None:
        words, written = read_words(7, document, (), HOSTS), sample_letter("reminder", "en", "rich")

        assert list(words.failed) == [place]
        assert compose_in(written, words) == compose(written)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.dictionaries(
            st.sampled_from([each.value for each in BLOCKS["reminder"]]), st.text(max_size=80)
        ),
        st.sampled_from(["thin", "rich", "nasty"]),
    )
    def test_whatever_stands_in_a_block_the_mail_is_one_mail(
        self, texts: dict[str, str], sample: str
    ) -> None:
        written = sample_letter("reminder", "en", sample)
        mail = compose_in(written, _words(_blocks(**texts)))

        parsed = _mail(mail.raw)
        assert len(parsed["To"].addresses) == 1
        assert sorted(set(parsed.keys())) == sorted(set(_mail(compose(written).raw).keys()))
        assert all(len(line) <= 998 for line in mail.raw.split(b"\r\n"))
        assert not parsed.defects


def acme_job(connection: ConnectionId, sealer: Sealer, reminder: Reminder) -> Job:
    """A claimed job."""
    job = JobId(str(uuid4()))
    return Job(
        id=job,
        tenant="acme",
        connection=connection,
        fence=1,
        nonce="n",
        failures=0,
        refreshed=False,
        resent=False,
        strikes=0,
        project_strikes=0,
        enqueued_at=0,
        expires_at=4e9,
        body=sealer.seal(write_payload(reminder), tenant="acme", job=job, now=0),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def acme(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str
) -> AsyncIterator[OneTenant]:
    async with one_tenant(tmp_path_factory.mktemp("data"), redis_url) as setup:
        yield setup


@pytest.mark.asyncio(loop_scope="module")
class TestInAWorker:
    async def test_a_reminder_is_sent_in_the_published_words_and_says_which(
        self, acme: OneTenant
    ) -> None:
        state = self._publish(acme, _blocks(subject="Acme: {{ campaign }}", ask="Hi"))
        prepared = await self._prepared(acme)

        assert _mail(prepared.raw)["Subject"] == "Acme: Q4"
        assert prepared.content.template_version == state

    async def test_what_somebody_altered_is_suspended_on_record_and_the_reminder_leaves(
        self, acme: OneTenant, caplog: pytest.LogCaptureFixture
    ) -> None:
        version = self._publish(acme, _blocks(subject="Acme: {{ campaign }}", button="Go"))
        redis, key = acme.admin.redis, redis_keys.TEMPLATES + "acme"
        document = json.loads(cast("bytes", redis.hget(key, "document")))
        document["texts"]["en"]["reminder"]["subject"]["text"] = "{{ ''.__class__ }}"
        redis.hset(key, "document", json.dumps(document))

        prepared = await self._prepared(acme)
        assert _mail(prepared.raw)["Subject"].startswith("Reminder: Q4")
        assert ">Go</a>" in _parts(prepared.raw)[1]
        assert prepared.content.template_version == version

        found: Any = redis.hgetall(key)
        assert b"cannot stand here" in found[b"off:en/reminder/subject"]
        [said] = [each for each in caplog.records if each.message == "template_suspended"]
        assert said.__dict__["place"] == "en/reminder/subject"
        await self._prepared(acme)
        assert [each.message for each in caplog.records].count("template_suspended") == 1

    async def test_a_tenant_that_asks_for_it_has_the_due_date_in_a_calendar_file(
        self, acme: OneTenant
    ) -> None:
        due = datetime(2099, 12, 11, 16, tzinfo=UTC)
        reminder = REMINDER.model_copy(update={"due_at": due, "campaign": "q4"})
        version = self._publish(acme, {}, brand={"calendar": True})
        prepared = await self._prepared(acme, reminder)

        [file] = _mail(prepared.raw).iter_attachments()
        [entry] = read_calendar(cast("bytes", file.get_payload(decode=True)))
        assert (entry.summary, entry.day) == ("Due: Q4", date(2099, 12, 11))
        assert prepared.content.template_version == version
        assert prepared.content.message_sha256 == hashlib.sha256(prepared.raw).hexdigest()

        moved = reminder.model_copy(update={"due_at": due + timedelta(days=7)})
        [file] = _mail((await self._prepared(acme, moved)).raw).iter_attachments()
        [again] = read_calendar(cast("bytes", file.get_payload(decode=True)))
        assert (again.uid, again.day) == (entry.uid, date(2099, 12, 18))
        assert (again.sequence, again.written) >= (entry.sequence, entry.written)

        self._publish(acme, {})
        assert not any(_mail((await self._prepared(acme, reminder)).raw).iter_attachments())

    async def test_without_templates_all_is_certmails(self, acme: OneTenant) -> None:
        self._publish(acme, {})
        prepared = await self._prepared(acme)

        assert prepared.content.template_version is None

    def _publish(self, acme: OneTenant, texts: dict[str, Any], **more: Any) -> int:
        document: Document = read_document({"texts": texts, **more})
        return publish(acme.admin, "acme", document)[0].version

    async def _prepared(self, acme: OneTenant, reminder: Reminder = REMINDER) -> Prepared:
        with acme.admin.db() as db:
            sealer = Sealer(registry.get_tenant(db, "acme").public_key)
        job = acme_job(acme.connection.id, sealer, reminder)

        prepared = await prepare(acme.context(), job)
        assert isinstance(prepared, Prepared)
        return prepared
