"""What seals and opens the reviewers of one tenant, as its reminders are sealed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from certmail_config.base.addresses import recorded_address
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.written import read_kept_reviewer, write_reviewer
from certmail_config.crypto.keyed_hash import KeyedHash
from certmail_config.crypto.sealing import Opener, Sealer, public_of
from certmail_config.crypto.vault import Vault
from certmail_config.tenants.models import Tenant
from certmail_config.tenants.sealed_fields import open_from


class ReviewerSeals:
    """Seals, opens and compares reviewers of a tenant; raises SealBroken where the vault opens nothing.

    A record is sealed for its very campaign and reviewer, so that one put in another's place does
    not open. Without the tenant's private key nobody can read any: erasing it erases them all.
    """

    def __init__(
        self, tenant: Tenant, vault: Vault, *, now: Callable[[], float] = time.time
    ) -> None:
        private = open_from(vault, tenant.private_key, tenant.id, "private_key")
        self.tenant = tenant.id
        self._now = now
        self._opener = Opener(private)
        # Of the private half: whoever can write SQL could put another public one there.
        self._sealer = Sealer(public_of(private))
        self._people = KeyedHash(tenant.salt, b"person")
        self._records = KeyedHash(tenant.salt, b"reviewer")

    def seal(self, campaign: str, reviewer: Reviewer) -> bytes:
        """The sealed record of a reviewer, without what is left to them."""
        return self._sealer.seal(
            write_reviewer(reviewer),
            tenant=self.tenant,
            job=_place(campaign, reviewer.id),
            now=self._now(),
        )

    def open(
        self, campaign: str, id_: str, sealed: bytes, pending: int | None, completed: int | None
    ) -> Reviewer:
        """The reviewer of a sealed record; raises SealBroken."""
        record = self._opener.open(sealed, tenant=self.tenant, job=_place(campaign, id_))
        return read_kept_reviewer(record, id_, pending, completed)

    def fingerprint(self, reviewer: Reviewer) -> str:
        """Equal for reviewers of whom the same is sealed."""
        return self._records.of(write_reviewer(reviewer))

    def person(self, address: str) -> str:
        """Equal for reviewers of one address, in whichever campaigns of the tenant."""
        return self._people.of(recorded_address(address).encode())


def _place(campaign: str, reviewer: str) -> str:
    return json.dumps(["campaign", campaign, reviewer])
