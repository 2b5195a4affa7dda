"""The problems that the API answers with: RFC 9457 documents, one type for each code here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from certmail.gateway.api.models import Fault, Problem
from certmail.gateway.api.request.bounds import MAX_FAULTS, shown_name
from certmail.gateway.store_outage import for_clients
from certmail_config.base.errors import ReminderRejected, StoresUnreachable


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One type of problem: its status, its title, and what a client should do."""

    status: int
    title: str
    remedy: str = ""


KINDS: Final[dict[str, ProblemType]] = {
    "bad_request": ProblemType(400, "That is no HTTP request", "See that no header holds control characters, and that nothing is cut off."),
    "malformed_body": ProblemType(400, "The body is not JSON", "Send one JSON object, in UTF-8."),
    "unauthenticated": ProblemType(
        401, "No valid API key", "Send `Authorization: Bearer cm_…`; an operator makes keys: certmail keys create."
    ),
    "scope_missing": ProblemType(403, "The API key may not be used for this", "Use a key that has the scope."),
    "tenant_not_allowed": ProblemType(403, "The API key does not reach this tenant", "Use a key of that tenant."),
    "not_found": ProblemType(404, "There is nothing at this address", "See /openapi.json for what there is."),
    "unknown_reminder": ProblemType(
        404, "There is no such reminder", "It may be of a tenant that the key does not reach, or forgotten long after it ended."
    ),
    "no_such_tenant": ProblemType(404, "There is no such tenant", "See /v1/tenants for those that the key reaches."),
    "unknown_campaign": ProblemType(
        404, "There is no such campaign", "It may be of a tenant that the key does not reach; see /v1/campaigns:planned."
    ),
    "unknown_webhook": ProblemType(
        404, "There is no such webhook", "It may be told of a tenant that the key does not reach; see /v1/webhooks."
    ),
    "unknown_message": ProblemType(
        404, "No such message is kept for this webhook", "They are kept for some days only; those before, ask for by /v1/changes."
    ),
    "method_not_allowed": ProblemType(405, "This address does not know that method", "See the Allow header."),
    "body_too_slow": ProblemType(408, "The body did not come in time", "Send it again."),
    "already_sending": ProblemType(
        409, "Its request to Google is under way", "Should that fail, it is not tried again. Ask for its state."
    ),
    "already_final": ProblemType(409, "It had ended before", "Ask for its state."),
    "outcome_unknown": ProblemType(409, "A copy may be out", "It is not sent again. Ask for its state."),
    "key_reused": ProblemType(
        409, "The reminder's key was used for another reminder", "Use a key of its own for each reminder."
    ),
    "connection_active": ProblemType(
        409, "The connection works already", "To have it set up anew, ask for the link with `again`."
    ),
    "tenant_suspended": ProblemType(409, "The tenant takes nothing in", "Ask the operator."),
    "campaign_stopped": ProblemType(409, "The campaign was stopped for good", "Give a new one another id."),
    "campaign_running": ProblemType(409, "The campaign was not stopped", "Stop it first."),
    "campaign_not_running": ProblemType(409, "The campaign does not run", "Resume it first."),
    "campaign_unplannable": ProblemType(409, "The campaign cannot be planned", "Look at its calendar, and at its reviewers' countries."),
    "campaign_ending": ProblemType(409, "Its reminders are still being called off", "Try again in a minute."),
    "templates_changed": ProblemType(409, "Somebody else has published meanwhile", "Look at what there is, and publish again."),
    "too_many_webhooks": ProblemType(409, "There are enough webhooks for this tenant", "Remove one that nobody needs."),
    "request_running": ProblemType(
        409, "The first request with this Idempotency-Key is still running", "Repeat it in a moment."
    ),
    "campaign_changed": ProblemType(412, "The campaign is not the version that you meant", "Look at it, and put it again."),
    "body_too_large": ProblemType(413, "The body is too large", "Send fewer reminders at once."),
    "unsupported_media_type": ProblemType(415, "The body is not declared as JSON", "Send Content-Type: application/json."),
    "invalid_query": ProblemType(422, "A query parameter is wrong", "See the errors."),
    "invalid_header": ProblemType(422, "A header is wrong", "See the errors."),
    "invalid_body": ProblemType(422, "The body is not what it should be", "See the errors."),
    "invalid_templates": ProblemType(422, "The templates cannot be published", "See the errors; nothing was published."),
    "invalid_reminder": ProblemType(422, "The reminder cannot be taken", "See the errors; the others of a batch are taken."),
    "idempotency_key_reused": ProblemType(
        422, "The Idempotency-Key was used for another request", "Use a key of its own for each request."
    ),
    "rate_limited": ProblemType(429, "The API key asks for too much", "Wait as long as Retry-After says."),
    "tenant_full": ProblemType(
        429, "The tenant has its share of what room is left", "Send it again later, less at once; the operator can give Redis more memory."
    ),
    "internal_error": ProblemType(500, "Something is broken in certmail", "Tell the operator; the log says more."),
    "stores_unreachable": ProblemType(
        503, "A store does not answer, or cannot take anything in", "Send the same again later: what is in is a duplicate, not a second mail."
    ),
}  # fmt: skip
RETRY_SECONDS: Final = 5


class ApiProblem(Exception):
    """A request that ends as a problem document."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        remedy: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail
        self._faults = tuple(faults)
        self.remedy = remedy or self.kind.remedy

        self.headers = headers or {}
        if self.kind.status in {429, 503}:
            self.headers.setdefault("Retry-After", str(RETRY_SECONDS))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong, one by one, as far as it has a place."""
        return self._faults

    def document(self, base: str) -> Problem:
        """The document; `base` is the gateway's address, where each type is explained."""
        return Problem(
            type=f"{base}/docs#{self.code}",
            title=self.kind.title,
            status=self.kind.status,
            code=self.code,
            detail=self.detail,
            remedy=self.remedy,
            errors=list(self.faults),
        )


Place = Literal["pointer", "parameter"]
Named = tuple[str, str | None, str, str]
"""A fault: what it is called, where it is, its code and a sentence.

A batch may have thousands, so they are nothing more.
"""


class InvalidRequest(ApiProblem):
    """A request, or a reminder of one, that is wrong in one or more places; the first are named."""

    def __init__(
        self,
        code: str,
        named: Sequence[Named],
        *,
        place: Place = "pointer",
        more: int = 0,
        remedy: str = "",
    ) -> None:
        shown, left = tuple(named[:MAX_FAULTS]), len(named[MAX_FAULTS:]) + more
        sentences = [f"{name}: {text}" if name else text for name, _, _, text in shown]
        if left:
            sentences.append(f"and {left:,} more")

        super().__init__(code, "; ".join(sentences), remedy=remedy)
        self._place: Place = place
        self._named = shown
        self._left = left

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong, one by one."""
        return tuple(
            Fault.model_validate({self._place: where, "code": code, "detail": sentence})
            for _, where, code, sentence in self._named
        )

    def shortened(self, limit: int) -> InvalidRequest:
        """The same, with no more than so many of its faults."""
        left = self._left + len(self._named[limit:])
        return InvalidRequest(
            self.code, self._named[:limit], place=self._place, more=left, remedy=self.remedy
        )


def of_rejected(rejected: Sequence[ReminderRejected], pointer: str = "") -> InvalidRequest:
    """The problem of a reminder that cannot be taken; `pointer` is its place in the body."""
    named: list[Named] = []

    for each in rejected[:MAX_FAULTS]:
        name = shown_name(each.field or "")
        where = pointer + "".join(map(_step, each.place))
        named.append((name, where, each.code, each.message))

    first = rejected[0]
    code = first.code if first.code in KINDS else "invalid_reminder"
    return InvalidRequest(code, named, more=len(rejected[MAX_FAULTS:]), remedy=first.remedy)


def _step(part: int | str) -> str:
    """A step of a JSON Pointer (RFC 6901)."""
    return "/" + shown_name(str(part)).replace("~", "~0").replace("/", "~1")


def of_stores(error: StoresUnreachable) -> ApiProblem:
    """The problem of a store that does not answer; its own code stands among the errors."""
    public = for_clients(error)
    fault = Fault(pointer=None, code=public.code, detail=public.message)
    return ApiProblem("stores_unreachable", public.message, faults=[fault], remedy=public.remedy)
