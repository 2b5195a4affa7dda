"""What is to be done so that the ledger has the mails of a plan, and no others. Pure.

It is made of what is known by identity: a mail that moves is withdrawn and enqueued anew, one that
has gone is never touched, and where nothing has changed there is nothing to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.mails import FRESHEN, PlannedMail
from certmail_config.campaigns.applying.reasons import MOVED, NOT_PLANNED
from certmail_config.campaigns.running.states import MomentState

_STANDING: Final = frozenset({MomentState.PLANNED, MomentState.ENQUEUED})


class Materialised(NamedTuple):
    """What is known of a planned mail.

    `went`: its job has left, or may have, so that nothing is done with it any more. Mails that go
    as one have one `job`.
    """

    at: datetime
    digest: str
    """Of the mail and, behind a point, of its news."""
    generation: int
    job: str | None
    state: MomentState
    went: bool = False

    @property
    def stands(self) -> bool:
        """Whether a job stands for it that can be withdrawn."""
        return self.state in _STANDING and self.job is not None and not self.went


class ToEnqueue(NamedTuple):
    """A mail that is to be a job.

    `job` is the one that it was to be when the planner was interrupted; `instead_of` are those
    that have to be withdrawn first: where one of them has begun, it is not enqueued.
    """

    mail: PlannedMail
    generation: int
    job: str | None
    instead_of: tuple[str, ...]


class ToWithdraw(NamedTuple):
    """A job that is to be withdrawn, with the planned mails that it stands for."""

    job: str
    identities: tuple[Identity, ...]
    why: str


class PlanDifference(NamedTuple):
    """Withdraw comes first. `outdated` are mails that stay, though their jobs say old news."""

    withdraw: tuple[ToWithdraw, ...]
    enqueue: tuple[ToEnqueue, ...]
    outdated: frozenset[Identity] = frozenset()


def difference(
    mails: Sequence[PlannedMail],
    known: Mapping[Identity, Materialised],
    now: datetime,
    why_not: Callable[[Identity], str] = lambda _: NOT_PLANNED,
) -> PlanDifference:
    """Compare what a tenant's plan wants with what is known of each of its mails.

    `why_not` says why a mail is not wanted any more in whose place no other comes.
    """
    standing: defaultdict[str, list[Identity]] = defaultdict(list)
    for identity, each in known.items():
        if each.stands and each.job is not None:
            standing[each.job].append(identity)

    covered: set[str] = set()
    replaced: set[str] = set()
    enqueue: list[ToEnqueue] = []
    outdated: set[Identity] = set()

    for mail in mails:
        found = {each: known[each] for each in mail.identities if each in known}
        # What has gone in the meantime is in the next plan as such.
        if any(each.went or each.state is MomentState.ENDED for each in found.values()):
            continue
        jobs = {each.job for each in found.values() if each.stands and each.job is not None}
        same = _same(mail, found, jobs, standing, now)
        if same is not None:
            covered.add(same)
            if any(_news_of(each) != mail.news for each in found.values()):
                outdated |= found.keys()
            if any(each.state is MomentState.PLANNED for each in found.values()):
                enqueue.append(ToEnqueue(mail, _generation(found.values()), same, ()))
            continue

        replaced |= jobs
        following = _generation(found.values()) + 1 if found else 0
        enqueue.append(ToEnqueue(mail, following, None, tuple(sorted(jobs))))

    withdraw = [
        ToWithdraw(job, tuple(identities), MOVED if job in replaced else why_not(identities[0]))
        for job, identities in standing.items()
        if job not in covered
    ]
    return PlanDifference(tuple(withdraw), tuple(enqueue), frozenset(outdated))


def _same(
    mail: PlannedMail,
    found: Mapping[Identity, Materialised],
    jobs: set[str],
    standing: Mapping[str, Sequence[Identity]],
    now: datetime,
) -> str | None:
    """The job that is this very mail, if one is."""
    if len(jobs) != 1 or len(found) != len(mail.identities):
        return None
    [job] = jobs
    if set(standing[job]) != set(mail.identities):
        return None
    alike = all(
        _says_the_same(each, mail, now) and not _moved(each.at, mail.at, now)
        for each in found.values()
    )
    return job if alike else None


def _says_the_same(known: Materialised, mail: PlannedMail, now: datetime) -> bool:
    """Whether it is in the same words; what is left counts only shortly before it may leave."""
    if known.digest.partition(".")[0] != mail.digest:
        return False
    soon = now < mail.at <= now + FRESHEN
    return _news_of(known) == mail.news or not soon


def _news_of(known: Materialised) -> str:
    return known.digest.partition(".")[2]


def digest_of(mail: PlannedMail) -> str:
    """What is kept of a mail, to be compared with what a later plan wants."""
    return f"{mail.digest}.{mail.news}"


def _moved(before: datetime, after: datetime, now: datetime) -> bool:
    """Whether it leaves at another time; of what may leave by now a plan says that it leaves now."""
    return before != after and max(before, after) > now


def _generation(found: Iterable[Materialised]) -> int:
    return max(each.generation for each in found)
