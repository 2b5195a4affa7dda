"""The calls about workers: who is there to send, who is the keeper, and which services get on.

Times as in intake.py.
"""

from __future__ import annotations

from certmail_config.ledger.arguments import flag, ms
from certmail_config.ledger.script import Call, load
from certmail_config.ledger.values import Tick


def advertise(
    worker: str,
    capacity: int,
    *,
    seconds: float,
    believe: bool = False,
    last: float | None = None,
    clock: float | None = None,
) -> Call[Tick]:
    """Say that a worker lives and how many deliveries it may hold; 0 takes it off.

    With it the ledger's time goes on.

    `believe` takes the server's clock over even where it leapt ahead: when the caller's own clock
    agrees with it. `last` is the ledger's time when this worker last did so: a ledger whose time is
    before it has gone back.
    """

    def read(answer: list[bytes]) -> Tick:
        return Tick(float(answer[0]) / 1000, leapt=answer[1] == b"1")

    return Call(
        load("advertise"), (worker, capacity, ms(seconds), flag(believe), ms(last), ms(clock)), read
    )


def note(service: str, *, within: float, clock: float | None = None) -> Call[None]:
    """Note that one of the keeper's services has got on, and will again within so many seconds."""
    return Call(load("note"), (service, ms(within), ms(clock)), lambda _: None)


def keep(worker: str, *, seconds: float) -> Call[bool]:
    """Take or renew the keeper's lease; 0 seconds gives it up."""
    return Call(load("keep"), (worker, ms(seconds)), lambda answer: answer == 1)
