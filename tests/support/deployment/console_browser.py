"""A browser of the console for tests that serve the gateway in their own process."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape

import aiohttp

from certmail.gateway.console.sessions.cookies import Cookie


@dataclass
class Browser:
    """Somebody who has signed in. `page` is the last answer's markup, `status` its status."""

    session: aiohttp.ClientSession
    base: str
    secret: str
    page: str = ""
    status: int = 0
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> str:
        """Look at a page; gives its words."""
        async with self.session.get(self.base + path, headers=self._with(headers)) as answer:
            return await self._keep(answer)

    async def post(self, path: str, *, origin: str = "", **fields: str | list[str]) -> str:
        """Send a form of the last page; gives the words of where it leads to."""
        pairs = [("csrf", self.token)]
        for name, value in fields.items():
            pairs += [(name, each) for each in ([value] if isinstance(value, str) else value)]
        headers = self._with({"Origin": origin} if origin else {})
        async with self.session.post(self.base + path, data=pairs, headers=headers) as answer:
            return await self._keep(answer)

    async def _keep(self, answer: aiohttp.ClientResponse) -> str:
        self.page, self.status = await answer.text(), answer.status
        self.path, self.headers = answer.url.path_qs, dict(answer.headers)
        return self.text

    def _with(self, headers: dict[str, str]) -> dict[str, str]:
        return {"Cookie": f"{Cookie.OPERATOR}={self.secret}"} | headers

    @property
    def text(self) -> str:
        """The last page as it is read."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.page)))

    @property
    def token(self) -> str:
        """What the last page's forms send back."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.page)
        return found[1] if found else ""


SignIn = Callable[..., Browser]
