"""The two shapes of a refusal: an API's `error` is an object, the token endpoint's a text.

See google.md §1.4 and §3.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

Json = dict[str, object]


class GoogleError(Exception):
    """An answer that is a refusal."""

    status: int

    def body(self) -> Json:
        """The JSON of the refusal."""
        raise NotImplementedError

    def headers(self) -> dict[str, str]:
        """The headers that it needs beside Content-Type."""
        return {}

    def response(self) -> web.Response:
        """The refusal as an answer over HTTP."""
        return web.json_response(self.body(), status=self.status, headers=self.headers())


class ApiError(GoogleError):
    """A refusal by an API, in today's wire form (google.md §1.4).

    That is the old `errors[]` and the new `status` and `details` at once. `status` is the HTTP
    status, `canonical` the name of google.rpc.Code, `reason` the old reason in `errors[0]`,
    `message` the sentence for people, and `short` the old sentence, where it differs. `domain` is
    the old domain; `header` and `parameter` name what of the request is at fault. `info` is reason
    and metadata of a google.rpc.ErrorInfo, `violations` path and sentence of each
    google.rpc.BadRequest.FieldViolation.
    """

    def __init__(
        self,
        status: int,
        canonical: str,
        reason: str,
        message: str,
        *,
        short: str | None = None,
        domain: str = "global",
        header: str | None = None,
        parameter: str | None = None,
        info: tuple[str, Mapping[str, str]] | None = None,
        violations: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)

        self.status = status
        self.canonical = canonical
        self.reason = reason
        self.message = message
        self.short = short or message
        self.domain = domain
        self.header = header
        self.parameter = parameter
        self.info = info
        self.violations = violations

    def body(self) -> Json:
        """Both forms at once, as Google answers today (google.md §1.4)."""
        return {
            "error": self._core()
            | {"errors": [self._old()], "status": self.canonical}
            | self._details()
        }

    def old_body(self) -> Json:
        """The first form of Google's errors alone."""
        return {"error": {"errors": [self._old()]} | self._core()}

    def new_body(self) -> Json:
        """The second form of Google's errors alone."""
        return {"error": self._core() | {"status": self.canonical} | self._details()}

    def _core(self) -> Json:
        return {"code": self.status, "message": self.message}

    def _old(self) -> Json:
        old: Json = {"message": self.short, "domain": self.domain, "reason": self.reason}
        if not self.domain:
            del old["domain"]
        if self.header:
            old |= {"location": self.header, "locationType": "header"}
        if self.parameter:
            old |= {"location": self.parameter, "locationType": "parameter"}
        return old

    def _details(self) -> Json:
        details: list[Json] = []

        if self.info:
            reason, metadata = self.info
            details.append(
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": reason,
                    "domain": "googleapis.com",
                    "metadata": dict(metadata),
                }
            )

        if self.violations:
            shown = [
                {"field": path, "description": words} if path else {"description": words}
                for path, words in self.violations
            ]
            details.append(
                {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": shown}
            )

        return {"details": details} if details else {}

    def headers(self) -> dict[str, str]:
        """`WWW-Authenticate` for a 401, else none."""
        if self.status == 401:
            return {
                "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
            }
        return {}


class TokenError(GoogleError):
    """A refusal of the token endpoint (google.md §3.3).

    It is a 400, but a 401 where the client itself is refused. `error` is the code, `description`
    the sentence for people, `more` what stands beside them: `error_subtype`, `error_uri`.
    """

    _UNAUTHORIZED = frozenset(
        {"invalid_client", "unauthorized_client", "deleted_client", "disabled_client"}
    )

    def __init__(self, error: str, description: str, **more: str) -> None:
        super().__init__(description)
        self.status = (
            401 if error in self._UNAUTHORIZED else 403 if error == "org_internal" else 400
        )
        self.error = error
        self.description = description
        self.more = more

    def body(self) -> Json:
        """`error` as a text, and its description (google.md §3.3)."""
        return {"error": self.error, "error_description": self.description, **self.more}

    def headers(self) -> dict[str, str]:
        """What keeps anybody from storing an answer of the token endpoint."""
        return {"Cache-Control": "no-store", "Pragma": "no-cache"}
