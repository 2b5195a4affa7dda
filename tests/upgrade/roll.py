"""A rolling upgrade, step by step, under load: migrations, workers, gateways, upstream applications.

And the same way back, where the database did not change between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from upgrade.account import Account, account_for
from upgrade.estate import Estate, Running
from upgrade.releases import Release
from upgrade.traffic import Taken, Upstream

Say = Callable[[str], None]
TRACE = "Traceback"
ERRORS = ('"level": "error"', '"level": "critical"')
"""What no log has of an upgrade in which nothing goes wrong.

What an older release says of itself is no longer to be mended.
"""


@dataclass(slots=True)
class Fleet:
    """What runs of certmail, in the order in which it is replaced."""

    workers: list[Running]
    gateway: Running
    upstream: Upstream
    upstream_process: Running


@dataclass(slots=True)
class Roll:
    """One upgrade, in an estate of its own."""

    estate: Estate
    say: Say
    wrong: list[str] = field(default_factory=list)
    workers: list[Running] = field(default_factory=list)
    _numbers: int = 0

    def old_world(self, old: Release) -> Fleet:
        """Everything of the older release, with mail leaving on its workers."""
        estate = self.estate
        estate.set_up(old)
        gateway = estate.gateway(old, 1)
        workers = [self._worker(old) for _ in range(2)]
        estate.link(old, gateway)
        estate.http.key = estate.ask(old, "keys", "create", "upstream", "--every-tenant")["key"]
        estate.http.start()

        fleet = self._fleet(old, workers, gateway)
        estate.wait_for_more(*fleet.workers)
        self.say(
            f"two workers, a gateway and an upstream application of the old release, at {estate.head()}"
        )
        return fleet

    def migrate(self, new: Release, fleet: Fleet) -> None:
        """Bring the tables to the new form, while the old release works on them."""
        before = self.estate.head()
        status, out, err = self.estate.command(new, "db", "upgrade")
        assert status == 0, (out, err)
        self.estate.wait_for_more(*fleet.workers)
        self.say(f"migrated from {before} to {self.estate.head()}; the old workers go on")

    def replace(self, release: Release, fleet: Fleet) -> Fleet:
        """One process after the other: each works beside those that it replaces."""
        workers: list[Running] = []
        leaving = sorted(fleet.workers, key=lambda each: each.process.pid != self.estate.keeper())

        for each in leaving:
            workers.append(self._worker(release))
            rest = leaving[leaving.index(each) + 1 :]
            self.estate.wait_for_more(each, *rest, *workers)
            kept = each.process.pid == self.estate.keeper()
            self._stop(each)
            self.estate.wait_for_more(*rest, *workers)
            self.say(
                f"{each.log.stem}{', which kept,' if kept else ''} replaced by {workers[-1].log.stem}"
            )

        gateway = self.estate.gateway(release, self._next())
        self._stop(fleet.gateway)
        after = len(self.estate.http.taken)
        fleet_now = self._fleet(release, workers, gateway)
        self._stop(fleet.upstream_process)
        self.estate.wait_for_more(*workers)
        if len(self.estate.http.taken) <= after:
            self.wrong.append("nothing came in by HTTP after the gateway was replaced")
        self.say(
            f"gateway and upstream application replaced by those of the {release.name} release"
        )

        return fleet_now

    def refuses(self, old: Release) -> None:
        """A process of the old release that starts after the migration says why it does not."""
        status, out, err = self.estate.command(old, "worker")
        if status != 3 or "db upgrade" not in out + err:
            self.wrong.append(f"an old worker on new tables ended with {status}: {err[-500:]}")
        self.say("an old worker that starts now says that the database is newer, and ends")

    def end(self, fleet: Fleet) -> Account:
        """Take nothing more in, wait for all that was, stop the rest, and account for it."""
        self.estate.http.end()
        self._stop(fleet.upstream_process)
        taken: list[Taken] = list(self.estate.http.taken)
        for upstream in self.estate.upstreams:
            taken += upstream.taken()

        account = account_for(self.estate, taken, self.workers)
        status, out, err = self.estate.command(fleet.gateway.release, "doctor", "--json")
        if status != 0:
            self.wrong.append(f"doctor: {out or err}")

        for running in (fleet.gateway, *fleet.workers):
            self._stop(running)
        account.wrong += self.wrong + self._wrong_with_logs()
        return account

    @property
    def refused(self) -> int:
        """How often somebody got no receipt at once, and asked again."""
        return self.estate.http.refused + sum(each.refused() for each in self.estate.upstreams)

    def _fleet(self, release: Release, workers: list[Running], gateway: Running) -> Fleet:
        upstream = self.estate.upstream(release, f"upstream-{self._next()}")
        return Fleet(workers, gateway, upstream, self.estate.all_started[-1])

    def _worker(self, release: Release) -> Running:
        made = self.estate.worker(release, self._next())
        self.workers.append(made)
        return made

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _stop(self, running: Running) -> None:
        status = self.estate.stop(running)
        if status != 0:
            self.wrong.append(f"{running.log.name} ended with status {status}")

    def _wrong_with_logs(self) -> list[str]:
        """A trace in any log, or an error in those of this release."""
        return [
            f"{running.log.name}: {line[:300]}"
            for running in self.estate.all_started
            for line in running.log.read_text("utf-8", errors="replace").splitlines()
            if TRACE in line
            or (running.release.name == "new" and any(sign in line for sign in ERRORS))
        ]
