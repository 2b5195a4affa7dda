"""What a tenant writes in its mails itself, as it is sent and answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from certmail.gateway.api.models.base import Model, Time
from certmail_config.templates.documents import Document
from certmail_config.templates.findings import Severity


class TemplatesWanted(Model):
    """Templates to be published, all of them: what is left out is certmail's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    templates: Annotated[
        Document, Field(description="Brand and texts, as docs/templates.md has them.")
    ]
    instead_of: Annotated[
        int | None,
        Field(ge=0, description="Publish only if this version is the newest; 0: if there is none."),
    ] = None


class TemplateFinding(Model):
    """Something that whoever wrote them may want to know."""

    severity: Severity
    place: str
    line: int | None
    message: str


class TenantTemplates(Model):
    """What a tenant has published."""

    tenant: str
    version: Annotated[int | None, Field(description="Null: it has published nothing.")]
    published_at: Time | None
    published_by: str | None
    templates: Annotated[dict[str, Any], Field(description="As they are sent to be published.")]
    suspended: Annotated[
        dict[str, str],
        Field(
            description="What failed when a mail was written, by its place, and why: certmail's own words stand there."
        ),
    ]
    findings: Annotated[list[TemplateFinding], Field(description="Hints, once they are published.")]
