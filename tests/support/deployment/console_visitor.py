"""A visitor of the console, over HTTP.

It has a session with cookies, and sends the token of the last page with every form.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

import requests

from support.deployment.deployment import Deployment, wait_for

PASSWORD = "correct horse battery staple"


class Visitor:
    """One browser. `page` is the last answer."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.session = requests.Session()
        self.page = requests.Response()

    def get(self, path: str, **given: object) -> requests.Response:
        self.page = self.session.get(urljoin(self.deployment.gateway, path), timeout=60, **given)  # type: ignore[arg-type]  # whatever requests takes
        return self.page

    def post(self, path: str, *, token: str | None = None, **fields: str) -> requests.Response:
        """Send a form of the last page."""
        form = {"csrf": self.token if token is None else token, **fields}
        self.page = self.session.post(urljoin(self.deployment.gateway, path), data=form, timeout=60)
        return self.page

    @property
    def token(self) -> str:
        """What the last page's forms send back."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.page.text)
        assert found is not None, self.page.text
        return found[1]

    @property
    def text(self) -> str:
        """The last page as it is read: without tags, entities in clear."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.page.text)))

    def read(self, path: str) -> str:
        """Look at a page; gives its words."""
        assert self.get(path).ok, self.text
        return self.text

    def cookie(self, name: str) -> str | None:
        return self.session.cookies.get(name)

    def bake(self, name: str, value: str) -> None:
        """Put a cookie into the browser, as its own."""
        self.session.cookies.set(name, value, domain="127.0.0.1", path="/")

    def sign_in(self, password: str = PASSWORD) -> requests.Response:
        self.get("/console/sign-in")
        return self.post("/console/sign-in", password=password)

    def open_link(self, url: str) -> requests.Response:
        """Open a set-up link and press Start."""
        self.get(url)
        return self.post(url)

    def wait(self, path: str) -> str:
        """Look at a connection's page until the answer is there; gives its words."""
        wait_for("an answer", lambda: "data-running" not in self.get(path).text)
        return self.text


def operator(deployment: Deployment) -> Visitor:
    """Somebody who has signed in."""
    made = Visitor(deployment)
    assert made.sign_in().ok
    return made
