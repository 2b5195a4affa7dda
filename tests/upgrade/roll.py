"""A rolling upgrade, step by step, under load: migrations, workers, gateways, upstream applications.

And the same way back, where the database did not change between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from support.deployment.deployment import wait_for
from upgrade.account import Account, account_for
from upgrade.estate import Estate, Running
from upgrade.releases import Release
from upgrade.traffic import Taken

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
    upstream: Running


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

        upstream = estate.upstream(old, f"upstream-{self._next()}")
        fleet = Fleet(workers, gateway, upstream)
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
        workers = self._replace_workers(release, fleet.workers)
        gateway = self._replace_gateway(release, fleet.gateway)
        upstream = self._replace_upstream(release, fleet.upstream)
        self.estate.wait_for_more(*workers)
        return Fleet(workers, gateway, upstream)

    def put_back(self, release: Release, fleet: Fleet) -> Fleet:
        """The same in reverse order: what is newer never asks what is older."""
        upstream = self._replace_upstream(release, fleet.upstream)
        gateway = self._replace_gateway(release, fleet.gateway)
        workers = self._replace_workers(release, fleet.workers)
        return Fleet(workers, gateway, upstream)

    def _replace_workers(self, release: Release, leaving: list[Running]) -> list[Running]:
        """The keeper goes first, while another release's worker is there to take over."""
        workers: list[Running] = []
        rest = sorted(leaving, key=lambda each: each.process.pid != self.estate.keeper())

        while rest:
            leaves, *rest = rest
            workers.append(self._worker(release))
            self.estate.wait_for_more(leaves, *rest, *workers)
            kept = ", which kept," if leaves.process.pid == self.estate.keeper() else ""
            self._stop(leaves)
            self.estate.wait_for_more(*rest, *workers)
            self.say(f"{leaves.log.stem}{kept} replaced by {workers[-1].log.stem}")

        return workers

    def _replace_gateway(self, release: Release, leaves: Running) -> Running:
        gateway = self.estate.gateway(release, self._next())
        self._stop(leaves)
        after = len(self.estate.http.taken)
        wait_for("reminders by the new gateway", lambda: len(self.estate.http.taken) > after + 5)
        self.say(f"{leaves.log.stem} replaced by {gateway.log.stem}")
        return gateway

    def _replace_upstream(self, release: Release, leaves: Running) -> Running:
        upstream = self.estate.upstream(release, f"upstream-{self._next()}")
        self._stop(leaves)
        self.say(f"{leaves.log.stem} replaced by {upstream.log.stem}")
        return upstream

    def refuses(self, old: Release) -> None:
        """A process of the old release that starts after the migration says why it does not."""
        status, out, err = self.estate.command(old, "worker")
        if status != 3 or "db upgrade" not in out + err:
            self.wrong.append(f"an old worker on new tables ended with {status}: {err[-500:]}")
        self.say("an old worker that starts now says that the database is newer, and ends")

    def end(self, fleet: Fleet) -> Account:
        """Take nothing more in, wait for all that was, stop the rest, and account for it."""
        self.estate.http.end()
        self._stop(fleet.upstream)
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
