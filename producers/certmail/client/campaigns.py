"""Campaigns from Python: put, with reviewers and progress, shown, paused, stopped.

They go through the gateway's API, with an API key. They lie in SQL, to which an application has no
access, and whoever may stop a tenant's campaigns shows a key for it; Redis asks for none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote
from uuid import uuid4

from certmail.client.api_requests import ApiRequests
from certmail.client.batches import split
from certmail_config.settings import Settings

PAGE: Final = 1000
"""Reviewers, or news, in one request."""


@dataclass(slots=True)
class ReviewersTaken:
    """What became of reviewers: how many were new, and so on; `rejected` says which are wrong.

    `index` in it is the place in what was given.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    kept_progress: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)


class Campaigns:
    """The campaigns that an API key reaches.

    Every method raises StoresUnreachable where the gateway or its stores do not answer, and Refused
    with a code, a sentence and a remedy; each may be called again.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        seconds: float = 60,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the gateway's address, a key, and for how long a busy gateway is asked again."""
        self._api = ApiRequests(url, api_key, seconds=seconds, sleep=sleep)

    @classmethod
    def from_env(cls, settings: Settings | None = None) -> Self:
        """Those of CERTMAIL_PUBLIC_URL, or of a gateway on this machine, with CERTMAIL_API_KEY."""
        settings = settings or Settings.from_env()
        return cls(settings.base_url, settings.required_api_key())

    def close(self) -> None:
        """Let the connection go."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def put(self, campaign: Mapping[str, Any], *, instead_of: int | None = None) -> dict[str, Any]:
        """Have a campaign planned, whole as it is given: what campaign.toml has, as a mapping.

        The same again changes nothing; with `instead_of` it is put in place of that version only.
        """
        headers = {} if instead_of is None else {"If-Match": f'"{instead_of}"'}
        path = f"/v1/campaigns/{quote(str(campaign.get('id', '')), safe='')}"
        return self._api.ask("PUT", path, _plain(campaign), headers)

    def reviewers(
        self,
        tenant: str,
        campaign: str,
        reviewers: Iterable[Mapping[str, Any]],
        *,
        keep_others: bool = False,
    ) -> ReviewersTaken:
        """Give a campaign its reviewers, of any number; whoever is not among them is removed."""
        roster = None if keep_others else f"{time.time_ns():x}"
        done, before = ReviewersTaken(), 0
        # Whether a page is the last is known when there is none behind it.
        for page, last in _with_end(split(reviewers, PAGE)):
            body: dict[str, Any] = {"reviewers": [_plain(each) for each in page]}
            if roster is not None:
                body |= {"roster": roster, "last": last}
            answer = self._api.ask("PUT", _path(tenant, campaign, "/reviewers"), body)

            for name in ("added", "changed", "unchanged", "removed", "kept_progress"):
                setattr(done, name, getattr(done, name) + answer[name])
            done.rejected += [
                {**each, "index": each["index"] + before} for each in answer["rejected"]
            ]
            before += len(page)
        return done

    def progress(
        self, tenant: str, campaign: str, news: Iterable[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Say what is left to reviewers; yields what became of each news, in order.

        Each has `reviewer`, `pending`, `completed` if known, and `at` or `sequence`. Whoever is
        done gets nothing more from when it is answered. Further news are sent when answers were
        consumed, so consume them to the end.
        """
        for page in split(news, PAGE):
            body = {"progress": [_plain(each) for each in page]}
            yield from self._api.ask("POST", _path(tenant, campaign, "/progress"), body)["items"]

    def show(self, tenant: str, campaign: str) -> dict[str, Any]:
        """A campaign as it stands, with its reviewers and planned mails counted."""
        return self._api.ask("GET", _path(tenant, campaign))

    def plan(self, tenant: str, campaign: str) -> dict[str, Any]:
        """What comes next: how many mails on which day, and why others do not go."""
        return self._api.ask("GET", _path(tenant, campaign, "/plan"))

    def pause(self, tenant: str, campaign: str) -> dict[str, Any]:
        """Let nothing of a campaign leave until it is resumed."""
        return self._api.ask("POST", _path(tenant, campaign, "/pause"))

    def resume(self, tenant: str, campaign: str) -> dict[str, Any]:
        """Let a paused campaign go on; what it missed is caught up on once."""
        return self._api.ask("POST", _path(tenant, campaign, "/resume"))

    def stop(self, tenant: str, campaign: str) -> dict[str, Any]:
        """Let nothing of a campaign leave any more, for good."""
        return self._api.ask("POST", _path(tenant, campaign, "/stop"))

    def remind(
        self,
        tenant: str,
        campaign: str,
        reviewers: Sequence[str] | None = None,
        *,
        within_hours: bool = False,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Remind these reviewers now, or all, as far as they have something left.

        At any hour; `within_hours` waits for the working hours of each. Called again, it is another mail to each, but not with the same `key`.
        """
        body: dict[str, Any] = (
            {"all": True} if reviewers is None else {"reviewers": list(reviewers)}
        )
        body["within_hours"] = within_hours
        # A request whose answer was lost is sent again, and must not be a second mail.
        headers = {"Idempotency-Key": key or uuid4().hex}
        return self._api.ask("POST", _path(tenant, campaign, "/remind"), body, headers)


def _path(tenant: str, campaign: str, what: str = "") -> str:
    return f"/v1/campaigns/{quote(campaign, safe='')}{what}?tenant={quote(tenant, safe='')}"


def _plain(value: Any) -> Any:
    """Mappings, lists and times as JSON has them."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def _with_end(pages: Iterator[list[Any]]) -> Iterator[tuple[list[Any], bool]]:
    """Each page, and whether it is the last; one that is empty where there is none."""
    page = next(pages, [])
    for following in pages:
        yield page, False
        page = following
    yield page, True
