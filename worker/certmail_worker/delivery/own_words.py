"""Composing in a tenant's own words, and what follows where they fail: no reminder is lost to them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from redis.exceptions import RedisError

from certmail_config.compose import Letter, Mail, TenantWords, compose
from certmail_config.compose.content import Content
from certmail_config.compose.language.phrases import Alone
from certmail_config.compose.own.tenant_words import EVERYTHING
from certmail_config.ledger import suspend_template
from certmail_worker.delivery.context import DeliveryContext

log = logging.getLogger(__name__)


def compose_in(letter: Letter, words: TenantWords) -> Mail:
    """The mail in its tenant's words and look; in certmail's own where those fail.

    Raises ComposeError where no mail can be made of the letter at all.
    """

    def own(content: Content) -> Mapping[str, Sequence[Alone]]:
        return words.blocks(letter, content)

    try:
        return compose(letter, words.brand, own)
    # Whatever it is: if the letter is at fault, composing it once more says so.
    except Exception as error:  # noqa: BLE001
        mail = compose(letter)
        words.fails(EVERYTHING, f"no mail could be composed with them ({type(error).__name__})")
        return mail


async def suspend_failed(context: DeliveryContext, tenant: str, words: TenantWords) -> None:
    """Put on record what failed of a tenant's templates, so that no worker tries it again."""
    while words.failed:
        place, why = words.failed.popitem()
        try:
            news = await context.ledger(suspend_template(tenant, words.version, place, why))
        except RedisError as error:
            # This worker leaves it out all the same; the next one finds out by itself.
            name = type(error).__name__
            log.warning("template_not_suspended", extra={"tenant": tenant, "error": name})
            continue
        if news:
            log.error(
                "template_suspended",
                extra={
                    "tenant": tenant,
                    "code": "template_failed",
                    "place": place,
                    "version": words.version,
                    "error": why,
                    "remedy": "Correct and publish it: certmail templates check, publish.",
                },
            )
