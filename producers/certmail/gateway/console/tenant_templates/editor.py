"""All that an editor's page shows: what is typed, what is wrong with it, and the mail that it makes.

Pure. It takes milliseconds, so it is done off the loop, and only so many at a time
(`templates_limits`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from certmail.gateway.console.tenant_templates.findings_at import ABOVE, by_field
from certmail.gateway.console.tenant_templates.parts import EditedPart, Typed, WordsPart
from certmail.gateway.console.tenant_templates.previews import (
    MailPreview,
    certmails_own,
    preview_of,
)
from certmail.gateway.console.tenant_templates.tenant_facts import TenantFacts
from certmail.gateway.console.tenant_templates.views import PreviewView
from certmail_config.compose import ComposeError
from certmail_config.templates.base import OwnWords, own_words
from certmail_config.templates.blocks import BLOCKS, MEASURES, Block, Measure
from certmail_config.templates.checks import check
from certmail_config.templates.colours import Palette, is_colour, palette
from certmail_config.templates.differences import Difference
from certmail_config.templates.documents import Document
from certmail_config.templates.findings import Finding, TemplatesRefused, faults_of


@dataclass(frozen=True, slots=True)
class EditedBlock:
    """One block: what is typed, certmail's own words, and what there is to say about it."""

    block: Block
    text: str
    example: str
    """What certmail says there in the usual sample."""
    ours: OwnWords
    findings: Sequence[Finding]
    changed: Difference | None
    """Where certmail's words are others than those that the tenant's were made on."""
    suspended: str
    theirs: str | None
    """What somebody else has published there meanwhile."""

    @property
    def name(self) -> str:
        """Of its field."""
        return f"text-{self.block}"

    @property
    def measure(self) -> Measure:
        """How much it may say."""
        return MEASURES[self.block]

    @property
    def faulty(self) -> bool:
        """Whether it could not be published."""
        return bool(faults_of(self.findings))


@dataclass(frozen=True, slots=True)
class Editor:
    """See the module; `preview` is None where no mail can be made of what is typed."""

    part: EditedPart
    typed: Typed
    view: PreviewView
    document: Document
    findings: Mapping[str, Sequence[Finding]]
    preview: MailPreview | None
    unsaved: bool
    blocks: Sequence[EditedBlock] = ()
    palette: Palette | None = None
    trouble: str = ""
    """Why there is no preview."""
    stale: bool = False
    """Whether the preview is of what is published: no document can hold what is typed."""
    above: Sequence[Finding] = field(default_factory=list)

    @property
    def faulty(self) -> bool:
        """Whether it could not be published or sent."""
        return any(faults_of(found) for found in (self.above, *self.findings.values()))


def edited(
    facts: TenantFacts,
    part: EditedPart,
    typed: Typed,
    view: PreviewView,
    logo_hosts: Collection[str],
    *,
    meanwhile: bool = False,
    refused: Sequence[Finding] = (),
) -> Editor:
    """Work a page out; never raises for what somebody typed.

    `meanwhile`: show what others have published. `refused` is what publishing has found besides.
    """
    stale = False
    try:
        document = part.put(facts.document, typed)
        found = list(refused) or check(part.alone(document), logo_hosts)
    except TemplatesRefused as refusal:
        document, found, stale = facts.document, list(refusal.findings), True

    preview, trouble = None, ""
    try:
        preview = preview_of(document, facts.sender, view, logo_hosts)
    except ComposeError as error:
        trouble = str(error)

    findings = by_field(found, part)
    above = findings.pop(ABOVE, [])
    blocks = _blocks(facts, part, typed, findings, meanwhile=meanwhile)
    colour = typed.get("colour", "")
    return Editor(
        part,
        typed,
        view,
        document,
        findings,
        preview,
        _differs(typed, part.typed(facts.document)),
        blocks,
        palette(colour) if is_colour(colour) else None,
        trouble,
        stale,
        above,
    )


def _differs(typed: Typed, published: Typed) -> bool:
    return any(
        typed.get(name, "").replace("\r\n", "\n") != text for name, text in published.items()
    )


def _blocks(
    facts: TenantFacts,
    part: EditedPart,
    typed: Typed,
    findings: Mapping[str, Sequence[Finding]],
    *,
    meanwhile: bool,
) -> list[EditedBlock]:
    if not isinstance(part, WordsPart):
        return []

    examples = certmails_own(facts.sender, part.kind, part.locale)
    changed = {each.place: each for each in facts.differences if each.changed}
    published = part.typed(facts.document)
    made = []

    for block in BLOCKS[part.kind]:
        place, name = f"{part.locale}/{part.kind}/{block}", f"text-{block}"
        text = typed.get(name, "").replace("\r\n", "\n")
        another = meanwhile and published[name] != text
        made.append(
            EditedBlock(
                block,
                text,
                examples.get(block, ""),
                own_words(part.locale, part.kind, block),
                findings.get(name, ()),
                changed.get(place),
                facts.suspended(place),
                published[name] if another else None,
            )
        )

    return made
