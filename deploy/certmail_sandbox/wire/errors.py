"""Two shapes of refusal: an API's `error` is an object, the token endpoint's a string (google.md §1.4, §3.3)."""

from collections.abc import Mapping, Sequence

from aiohttp import web

Json = dict[str, object]


class GoogleError(Exception):
    """An answer that is a refusal."""

    status: int

    def body(self) -> Json:
        raise NotImplementedError

    def headers(self) -> dict[str, str]:
        return {}

    def response(self) -> web.Response:
        return web.json_response(self.body(), status=self.status, headers=self.headers())


class ApiError(GoogleError):
    """An API's refusal in today's wire form: the old `errors[]` and the new `status` and `details` at once.

    Args:
        status: The HTTP status.
        canonical: The name of google.rpc.Code.
        reason: The old reason, in `errors[0]`.
        message: The sentence for people.
        short: The old sentence in `errors[0]`, where it differs from the new one.
        domain: The old domain.
        header: The request header that is at fault.
        parameter: The query parameter that is at fault.
        info: Reason and metadata of a google.rpc.ErrorInfo.
        violations: Path and sentence of each google.rpc.BadRequest.FieldViolation.
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
        return {
            "error": self._core()
            | {"errors": [self._old()], "status": self.canonical}
            | self._details()
        }

    def old_body(self) -> Json:
        """The first form of Google's errors alone."""
        return {"error": {"errors": [self._old()]} | self._core()}

    def new_body(self) -> Json:
        """The second one alone."""
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
        if self.status == 401:
            return {
                "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
            }
        return {}


class TokenError(GoogleError):
    """A refusal of the token endpoint: 400, but 401 where the client itself is refused (google.md §3.3).

    Args:
        error: The code.
        description: The sentence for people.
        more: What stands beside them: `error_subtype`, `error_uri`.
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
        return {"error": self.error, "error_description": self.description, **self.more}

    def headers(self) -> dict[str, str]:
        return {"Cache-Control": "no-store", "Pragma": "no-cache"}
