"""Where the year's mails go: to the sandbox's Gmail, by certmail's own client, many at a time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import aiohttp
import uvloop

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.ledger import Begun
from certmail_config.stores.connect import connect_async, redis_url_of
from certmail_worker.delivery.send_failures import Verdict, judge
from certmail_worker.delivery.settlement import Rules, plan_settlement
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.http import SendWindow, new_session
from certmail_worker.google.responses import Answered
from certmail_worker.google.token_client import TokenClient
from certmail_worker.google.tokens import Token, Tokens
from certmail_worker.rehearsal.batches import Batches, ComposedJob, Settled
from year.connecting import Connected
from year.google import Google

TIMEOUT_SECONDS = 60.0


class MovedClock:
    """Gives the time that it was last set to, in seconds since 1970."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class GmailOutlet:
    """Delivers as a worker does, with the clock moved: Google's is set to each step's time first.

    Attributes:
        answers: How often Gmail answered with which status; 0 where no answer came.
    """

    def __init__(
        self,
        connected: Connected,
        google: Google,
        runner: asyncio.Runner,
        gmail: Gmail,
        tokens: Tokens,
        clock: MovedClock,
    ) -> None:
        self.answers: Counter[int] = Counter()
        self._batches = Batches(connected.stage)
        self._connections = connected.connections
        self._google = google
        self._runner = runner
        self._gmail = gmail
        self._tokens = tokens
        self._clock = clock

    def deliver(self, jobs: Sequence[JobId], now: datetime) -> None:
        """Deliver what a pacer has let go; raises RedisError."""
        composed = self._batches.compose(jobs, now)
        self._clock.now = now.timestamp()
        self._runner.run(self._deliver(composed, now))

    async def _deliver(self, composed: Sequence[ComposedJob], now: datetime) -> None:
        await self._google.set_clock_by(self._gmail.session, now)
        tokens = await self._all_tokens({each.job.connection for each in composed})
        begun = self._batches.begin(composed, now)
        verdicts = await asyncio.gather(
            *(self._send(each, tokens[each.job.connection]) for each, _ in begun)
        )
        settled = [
            self._settled(each, attempt, verdict, tokens[each.job.connection], now)
            for (each, attempt), verdict in zip(begun, verdicts, strict=True)
        ]
        self._batches.settle(settled, now)

    async def _all_tokens(self, connections: set[ConnectionId]) -> Mapping[ConnectionId, Token]:
        found = await asyncio.gather(
            *(self._tokens.get(self._connections[id_]) for id_ in connections)
        )
        for each in found:
            assert isinstance(each, Token), f"Google gives no access token: {each}"
        return {
            id_: each
            for id_, each in zip(connections, found, strict=True)
            if isinstance(each, Token)
        }

    async def _send(self, composed: ComposedJob, token: Token) -> Verdict:
        window = SendWindow(float("inf"))
        answer = await self._gmail.send(composed.mail.raw, token.secret, window)
        self.answers[answer.status if isinstance(answer, Answered) else 0] += 1
        return judge(answer)

    def _settled(
        self, composed: ComposedJob, begun: Begun, verdict: Verdict, token: Token, now: datetime
    ) -> Settled:
        job = composed.job
        settlement = plan_settlement(
            verdict,
            job,
            connection_version=self._connections[job.connection].version,
            now=now.timestamp(),
            rules=Rules(),
            token=token.mark,
        )
        return Settled(job.id, begun.attempt, settlement, _detail(verdict, now))


def _detail(verdict: Verdict, now: datetime) -> str:
    """What an attempt's record says of it."""
    said = {
        "outcome": verdict.outcome,
        "ended_at": now.isoformat(timespec="milliseconds"),
        "http_status": verdict.http_status,
        "google_reason": verdict.google_reason,
        "gmail_id": verdict.gmail_id,
        "gmail_thread_id": verdict.thread_id,
    }
    return json.dumps({name: value for name, value in said.items() if value is not None})


@contextmanager
def gmail_outlet(connected: Connected, google: Google) -> Iterator[GmailOutlet]:
    """Open one, with a loop and a session of its own."""
    admin = connected.stage.admin
    clock = MovedClock()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        session = runner.run(_new_session())
        redis = connect_async(redis_url_of(admin.settings))
        client = TokenClient(
            session, f"{google.url}/token", admin.vault, connected.client, now=clock
        )
        tokens = Tokens(redis, admin.vault, client, now=clock)
        try:
            yield GmailOutlet(connected, google, runner, Gmail(session, google.url), tokens, clock)
        finally:
            runner.run(tokens.close())
            runner.run(session.close())
            runner.run(redis.aclose())


async def _new_session() -> aiohttp.ClientSession:
    return new_session(ca_file=None, timeout_seconds=TIMEOUT_SECONDS)
