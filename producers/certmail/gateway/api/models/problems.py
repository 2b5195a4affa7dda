"""Problem documents: what is wrong with a request."""

from __future__ import annotations

from pydantic import Field

from certmail.gateway.api.models.base import Model


class Fault(Model):
    """One thing that is wrong, and where."""

    pointer: str | None = Field(
        None, description="Where in the body, as a JSON pointer; empty for all of it."
    )
    parameter: str | None = Field(None, description="Which query parameter or header.")
    code: str = Field(description="For programs.")
    detail: str = Field(description="For people.")


class Problem(Model):
    """An RFC 9457 problem document: what is wrong, where, and what to do."""

    type: str = Field(
        description="The address that explains this kind of problem.",
        json_schema_extra={"format": "uri"},
    )
    title: str
    status: int
    code: str = Field(description="For programs; one for each type.")
    detail: str
    remedy: str = Field(description="What to do.")
    errors: list[Fault]
