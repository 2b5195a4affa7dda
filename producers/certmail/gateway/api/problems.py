"""What the API answers when it cannot do what it was asked: RFC 9457 problem documents, one type for each code here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from certmail.gateway.api.models import Fault, Problem
from certmail_config.errors import CertmailError, ReminderRejected


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem: its status, its title, and what a client should do."""

    status: int
    title: str
    remedy: str = ""


KINDS: Final[dict[str, Kind]] = {
    "malformed_body": Kind(400, "The body is not JSON", "Send one JSON object, in UTF-8."),
    "unauthenticated": Kind(
        401, "No valid API key", "Send `Authorization: Bearer cm_…`; an operator makes keys: certmail keys create."
    ),
    "scope_missing": Kind(403, "The API key may not be used for this", "Use a key that has the scope."),
    "tenant_not_allowed": Kind(403, "The API key does not reach this tenant", "Use a key of that tenant."),
    "not_found": Kind(404, "There is nothing at this address", "See /openapi.json for what there is."),
    "unknown_reminder": Kind(
        404, "There is no such reminder", "It may be of a tenant that the key does not reach, or forgotten long after it ended."
    ),
    "method_not_allowed": Kind(405, "This address does not know that method", "See the Allow header."),
    "body_too_slow": Kind(408, "The body did not come in time", "Send it again."),
    "already_sending": Kind(
        409, "Its request to Google is under way", "Should that fail, it is not tried again. Ask for its state."
    ),
    "already_final": Kind(409, "It had ended before", "Ask for its state."),
    "outcome_unknown": Kind(409, "A copy may be out", "It is not sent again. Ask for its state."),
    "key_reused": Kind(
        409, "The reminder's key was used for another reminder", "Use a key of its own for each reminder."
    ),
    "connection_active": Kind(
        409, "The connection works already", "To have it set up anew, ask for the link with `again`."
    ),
    "tenant_suspended": Kind(409, "The tenant takes nothing in", "Ask the operator."),
    "request_running": Kind(
        409, "The first request with this Idempotency-Key is still running", "Repeat it in a moment."
    ),
    "body_too_large": Kind(413, "The body is too large", "Send fewer reminders at once."),
    "unsupported_media_type": Kind(415, "The body is not declared as JSON", "Send Content-Type: application/json."),
    "invalid_query": Kind(422, "A query parameter is wrong", "See the errors."),
    "invalid_header": Kind(422, "A header is wrong", "See the errors."),
    "invalid_body": Kind(422, "The body is not what it should be", "See the errors."),
    "invalid_reminder": Kind(422, "The reminder cannot be taken", "See the errors; the others of a batch are taken."),
    "idempotency_key_reused": Kind(
        422, "The Idempotency-Key was used for another request", "Use a key of its own for each request."
    ),
    "rate_limited": Kind(429, "The API key asks for too much", "Wait as long as Retry-After says."),
    "internal_error": Kind(500, "Something is broken in certmail", "Tell the operator; the log says more."),
    "stores_unreachable": Kind(
        503, "A store does not answer, or cannot take anything in", "Send the same again later: what is in is a duplicate, not a second mail."
    ),
}  # fmt: skip
RETRY_SECONDS: Final = 5


class Trouble(Exception):
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
        self.faults = tuple(faults)
        self.remedy = remedy or self.kind.remedy
        self.headers = headers or {}
        if self.kind.status in {429, 503}:
            self.headers.setdefault("Retry-After", str(RETRY_SECONDS))

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


def of_rejected(rejected: Sequence[ReminderRejected], pointer: str = "") -> Trouble:
    """The problem of a reminder that cannot be taken; `pointer` says where in the body it stands."""
    faults = [
        Fault(
            pointer=f"{pointer}/{each.field}" if each.field else pointer,
            code=each.code,
            detail=each.message,
        )
        for each in rejected
    ]
    first = rejected[0]
    code = first.code if first.code in KINDS else "invalid_reminder"
    said = "; ".join(f"{each.field}: {each.message}" if each.field else each.message for each in rejected)
    return Trouble(code, said, faults=faults, remedy=first.remedy)


def of_stores(error: CertmailError) -> Trouble:
    """The problem of a store that does not answer; its own code stands among the errors."""
    fault = Fault(pointer=None, code=error.code, detail=error.message)
    return Trouble("stores_unreachable", error.message, faults=[fault], remedy=error.remedy)
