"""Sessions of the console: an operator's, or an administrator's whom a set-up link brought.

They are kept in Redis, and found by a cookie.

Redis knows only the hash of what the cookie holds, so whoever reads it cannot take anybody's place;
and what it knows is sealed, so neither can whoever writes it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import asdict, dataclass, replace
from typing import Final

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.base.text.hidden_addresses import hidden
from certmail_config.crypto.hashing import hash_of_secret
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.operators.roles import OperatorRole
from certmail_config.tenants.models import Connection

IDLE_SECONDS: Final = 2 * 3600
"""After so long without a page, an operator signs in again."""
MAX_SECONDS: Final = 12 * 3600
"""And after so long in any case."""
FAREWELL_SECONDS: Final = 3600
"""How long somebody whose set-up is complete may still look at it."""


BY_THE_PASSWORD: Final = "console password"  # noqa: S105 - a name for the record
"""Who it is that signed in with no account, but the password of the settings."""
_OF_THE_MOMENT: Final = frozenset({"secret", "who", "role"})
_LATELY: Final = frozenset({"account", "generation", "address"})
"""Left out where they say nothing: a gateway of the release before knows them not."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that the next page shows once; it holds no address."""

    good: bool
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who was let in.

    `secret` is what the cookie holds, `csrf` what every form must send back, `until` when it ends,
    in seconds since 1970. An operator has no `tenant`; whoever a set-up link brought may see only
    that tenant's connection of this `name`, as long as the `link` stands, or is `complete` and the
    `connection` that was set up still there; `back` is where the application wants them then.
    An operator is known by the `account`, which must still be of this `generation`; or by the
    `address` of a domain of ours; or by `proof` of the console's password: with another one set,
    the visit is over. `who` and `role` are those of this moment, and not kept.
    """

    secret: str
    csrf: str
    until: float
    tenant: str = ""
    name: str = ""
    link: str = ""
    complete: bool = False
    connection: str = ""
    back: str = ""
    proof: str = ""
    notice: Notice | None = None
    account: str = ""
    generation: int = 0
    address: str = ""
    who: str = ""
    role: OperatorRole | None = None

    @property
    def is_operator(self) -> bool:
        """Whether every connection is theirs to look at."""
        return not self.tenant

    @property
    def base(self) -> str:
        """Where their pages are."""
        return "/console" if self.is_operator else "/connect"

    @property
    def actor(self) -> str:
        """Who it is, in the words of the record."""
        if self.is_operator:
            return f"{self.who or BY_THE_PASSWORD} in the console"
        return "the administrator on the set-up pages"

    def may(self, needed: OperatorRole) -> bool:
        """Whether an operator's role allows what is needed for.

        Whoever a set-up link brought has none.
        """
        return self.is_operator and self.role is not None and self.role.covers(needed)

    @property
    def acts(self) -> bool:
        """Whether they may act on what they see: operators, and the link's administrator."""
        return not self.is_operator or self.may(OperatorRole.OPERATOR)

    @property
    def administers(self) -> bool:
        """Whether tenants, keys, templates, webhooks and operators are theirs, too."""
        return self.may(OperatorRole.ADMIN)

    @property
    def sees_addresses(self) -> bool:
        """Whether lists show reviewers' addresses in full."""
        return self.may(OperatorRole.OPERATOR)

    def shown_address(self, address: str) -> str:
        """A reviewer's address as a list shows it to them."""
        return address if self.sees_addresses else hidden(address)

    def may_see(self, connection: Connection) -> bool:
        """Whether a connection is theirs to look at."""
        return self.is_operator or (connection.tenant, connection.name) == (self.tenant, self.name)

    def may_read_templates(self, tenant: str) -> bool:
        """Whether they may see what a tenant's mails say; only admins may change it."""
        return self.is_operator or tenant == self.tenant


class Sessions:
    """All sessions that there are; everything here blocks, and raises RedisError."""

    def __init__(self, box: Strongbox) -> None:
        self._box = box

    def begin_as_operator(self, password: str) -> Visitor:
        """Begin the visit of an operator who knew this password, under a new secret."""
        secret, csrf = _new()
        until = time.time() + MAX_SECONDS
        return self._begin(Visitor(secret, csrf, until, proof=prove(secret, password)))

    def begin_as_account(self, account: str, generation: int) -> Visitor:
        """Begin the visit of an operator with an account."""
        secret, csrf = _new()
        until = time.time() + MAX_SECONDS
        return self._begin(Visitor(secret, csrf, until, account=account, generation=generation))

    def begin_as_address(self, address: str) -> Visitor:
        """Begin the visit of somebody whom the domain of this address makes an operator."""
        secret, csrf = _new()
        return self._begin(Visitor(secret, csrf, time.time() + MAX_SECONDS, address=address))

    def begin_as_administrator(
        self, secret: str, tenant: str, name: str, link: str, until: float
    ) -> Visitor:
        """Begin the visit of whoever opened a set-up link, under the secret that it is bound to."""
        return self._begin(Visitor(secret, _new()[1], until, tenant, name, link))

    def find(self, secret: str, *, renew: bool = True) -> Visitor | None:
        """The visitor whose cookie this is; None for nobody's, or when the visit is over.

        `renew`: an operator looks at something, and so is not idle.
        """
        if not secret:
            return None

        value = self._box.get(_name(secret))
        if value is None:
            return None

        notice = Notice(**value.pop("notice")) if value["notice"] else None
        visitor = Visitor(secret=secret, **{**value, "notice": notice})
        if time.time() >= visitor.until:
            return None

        if visitor.is_operator and renew:
            self._box.redis.expire(_name(secret), _seconds(visitor))

        return visitor

    def tell(self, visitor: Visitor, notice: Notice | None) -> None:
        """Show a message on the next page; with None it was shown."""
        self._begin(replace(visitor, notice=notice))

    def complete(self, visitor: Visitor, connection: ConnectionId, back: str) -> Visitor:
        """Mark the set-up as complete, and let them stay for a while to see it."""
        until = time.time() + FAREWELL_SECONDS
        return self._begin(
            replace(visitor, complete=True, connection=connection, back=back, until=until)
        )

    def end(self, visitor: Visitor) -> None:
        """End a visit."""
        self._box.redis.delete(_name(visitor.secret))

    def _begin(self, visitor: Visitor) -> Visitor:
        value = {
            name: kept
            for name, kept in asdict(visitor).items()
            if name not in _OF_THE_MOMENT and (kept or name not in _LATELY)
        }
        self._box.put(_name(visitor.secret), value, seconds=_seconds(visitor))
        return visitor


def prove(secret: str, password: str) -> str:
    """A proof that whoever has the secret knew the password.

    Without the secret nobody can try passwords against it.
    """
    return hmac.new(secret.encode(), password.encode(), hashlib.sha256).hexdigest()


def new_secret() -> str:
    """A secret for a cookie."""
    return secrets.token_urlsafe(32)


def _new() -> tuple[str, str]:
    return new_secret(), new_secret()


def _seconds(visitor: Visitor) -> int:
    left = max(1, round(visitor.until - time.time()))
    return min(left, IDLE_SECONDS) if visitor.is_operator else left


def _name(secret: str) -> str:
    return redis_keys.SESSION + hash_of_secret(secret)
