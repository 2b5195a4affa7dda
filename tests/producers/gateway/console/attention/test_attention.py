"""What needs a person, in the console over HTTP: shown, and settled in bulk, once and on record."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from certmail.gateway.console.attention.attention_page import MAX_SETTLED
from certmail_config.admin.admin import Admin
from certmail_config.base.ids import uuid7
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import run
from certmail_config.ledger.workers import advertise
from certmail_config.sql import tables
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.recording.rows import Event
from support.campaigns.kept import unplanned
from support.data.events import begun, enqueued, settled
from support.deployment.console_browser import Browser, SignIn
from support.machine.clocked_ledger import ClockedLedger

Record = Callable[[Iterable[Event]], None]
JOBS = [uuid7(1_800_000_000_000 + n) for n in range(3)]


@pytest.fixture
async def ledger(admin: Admin, record: Record) -> ClockedLedger:
    """Three reminders whose answers were lost, of two campaigns; in Redis and on record."""

    def lose() -> ClockedLedger:
        ledger, events = ClockedLedger(admin.redis), []
        for n, job in enumerate(JOBS):
            ledger.now += 5  # at its mailbox's pace
            ledger.enqueue(job)
            ledger.fly(job)
            ledger.settle(job, outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN)
            campaign = "q5" if n == 2 else "q4"
            events += [enqueued(10 * n + 1, job, to=f"r{n}@people.example", campaign=campaign)]
            events += [begun(10 * n + 2, job=job)]
            events += [settled(10 * n + 3, "uncertain", "unknown", job=job, reason="lost: gone")]
        record(events)
        return ledger

    return await asyncio.to_thread(lose)


def shown(browser: Browser) -> list[str]:
    return re.findall(r'name="job" value="([^"]+)"', browser.page)


def states(ledger: ClockedLedger) -> list[State]:
    return [ledger.state(job) for job in JOBS]


class TestTheyAreShown:
    async def test_where_nothing_is_it_says_so(self, browser: Browser, admin: Admin) -> None:
        await asyncio.to_thread(run, admin.redis, advertise("w", 1, seconds=1e6))
        assert "Nothing needs you" in await browser.get("/console/attention")

    async def test_nothing_is_well_where_no_worker_runs(
        self, browser: Browser, admin: Admin
    ) -> None:
        said = await browser.get("/console/attention")
        assert "No worker is running" in said
        assert "Nothing needs you" not in said

    async def test_a_tenant_of_which_nothing_needs_anybody_is_well_whatever_the_others_are(
        self, browser: Browser, admin: Admin, ledger: ClockedLedger
    ) -> None:
        await asyncio.to_thread(run, admin.redis, advertise("w", 1, seconds=1e6))
        assert "Nothing needs you" in await browser.get("/console/attention?tenant=globex")
        assert "Nothing needs you" not in await browser.get("/console/attention?tenant=acme")

    async def test_the_oldest_first_and_of_one_campaign_where_that_is_asked_for(
        self, browser: Browser, ledger: ClockedLedger
    ) -> None:
        said = await browser.get("/console/attention")
        assert shown(browser) == JOBS
        assert "r0@people.example" in said
        await browser.get("/console/attention?tenant=acme&campaign=q5")
        assert shown(browser) == JOBS[2:]

    async def test_addresses_are_hidden_from_who_may_not_see_them(
        self, sign_in: SignIn, ledger: ClockedLedger
    ) -> None:
        viewer = await asyncio.to_thread(sign_in, sees_addresses=False)
        await viewer.get("/console/attention")
        assert "r•••@people.example" in viewer.page
        assert "r0@people.example" not in viewer.page

    async def test_campaigns_that_cannot_be_planned(self, browser: Browser, admin: Admin) -> None:
        await asyncio.to_thread(unplanned, admin.engine)
        said = await browser.get("/console/attention")
        assert "Campaigns that cannot be planned" in said
        assert "unknown_connection: it is gone" in said
        assert 'href="/console/campaigns/acme/2026-q4"' in browser.page
        assert "it is gone" not in await browser.get("/console/attention?tenant=globex")

    async def test_certificates_that_end_and_connections_that_stand(
        self, browser: Browser, admin: Admin
    ) -> None:
        def make() -> None:
            connection = admin.add_customer_owned_app(
                "acme",
                "default",
                service_account="certmail@acme-it.iam.gserviceaccount.com",
                mailbox="reviews@acme.example",
                limits=GoogleLimits(),
                valid_days=60,
            )
            soon = datetime.now(UTC) + timedelta(days=6)
            table = tables.connections
            with admin.db() as db:
                db.execute(update(table).where(table.c.id == connection.id).values(not_after=soon))

        await asyncio.to_thread(make)
        said = await browser.get("/console/attention")
        assert "Certificates that end" in said
        assert "Ends soon" in said


class TestTheyAreSettled:
    @pytest.mark.parametrize(
        ("found", "state"),
        [
            ("arrived", State.ACCEPTED),
            ("send-again", State.READY),
            ("close", State.UNCERTAIN),
        ],
    )
    async def test_those_that_are_ticked_and_no_other(
        self, browser: Browser, ledger: ClockedLedger, found: str, state: State
    ) -> None:
        await browser.get("/console/attention")
        said = await browser.post(
            "/console/attention", job=JOBS[:2], found=found, why="the mailbox has them"
        )
        assert "2 settled." in said
        assert shown(browser) == JOBS[2:], "what is settled is listed no more, recorded or not"
        assert states(ledger) == [state, state, State.UNCERTAIN]
        assert ledger.see(JOBS[0]).reason == (
            f"settled_by_hand: the mailbox has them; {found} according to console password in the console"
        )

    async def test_all_of_what_is_listed(self, browser: Browser, ledger: ClockedLedger) -> None:
        await browser.get("/console/attention?campaign=q4&tenant=acme")
        said = await browser.post(
            "/console/attention", all="1", found="arrived", campaign="q4", tenant="acme"
        )
        assert "2 settled." in said
        assert states(ledger) == [State.ACCEPTED, State.ACCEPTED, State.UNCERTAIN]

    async def test_what_somebody_else_settled_meanwhile_stays_as_it_is(
        self, browser: Browser, ledger: ClockedLedger
    ) -> None:
        await browser.get("/console/attention")
        await browser.post("/console/attention", job=JOBS[0], found="arrived")
        said = await browser.post("/console/attention", job=JOBS[:2], found="send-again")
        assert "1 settled. 1 were no longer uncertain" in said
        assert states(ledger)[:2] == [State.ACCEPTED, State.READY]

    async def test_nobody_settles_without_saying_which_and_how(
        self, browser: Browser, ledger: ClockedLedger
    ) -> None:
        await browser.get("/console/attention")
        assert "Tick the reminders" in await browser.post("/console/attention", found="arrived")
        said = await browser.post("/console/attention", job=JOBS, all="1", found="arrived")
        assert "Tick the reminders" in said
        many = [uuid7(1_900_000_000_000 + n) for n in range(MAX_SETTLED + 1)]
        await browser.post("/console/attention", job=many, found="arrived")
        assert states(ledger) == [State.UNCERTAIN] * 3
        await browser.get("/console/attention")
        await browser.post("/console/attention", job=JOBS, found="whatever")
        assert browser.status == 400
        assert states(ledger) == [State.UNCERTAIN] * 3


class TestAbuse:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null"])
    async def test_a_form_of_another_site_settles_nothing(
        self, browser: Browser, ledger: ClockedLedger, origin: str
    ) -> None:
        await browser.get("/console/attention")
        await browser.post("/console/attention", origin=origin, all="1", found="send-again")
        assert browser.status == 403
        browser.page = ""
        await browser.post("/console/attention", all="1", found="send-again")
        assert browser.status == 403, "without the page's token neither"
        assert states(ledger) == [State.UNCERTAIN] * 3

    async def test_ids_that_are_none_are_refused(
        self, browser: Browser, ledger: ClockedLedger
    ) -> None:
        for job in ("x\n", "é", "*", uuid7(1)):
            await browser.get("/console/attention")
            await browser.post("/console/attention", job=job, found="arrived")
            assert browser.status in {200, 400}
        assert states(ledger) == [State.UNCERTAIN] * 3
