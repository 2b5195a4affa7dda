"""The domains that a tenant may send from, as an operator allows them; none named: any. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from certmail_config.base.addresses import address, kept_address
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.tenants.models import Tenant


def read_domains(values: Iterable[str]) -> str:
    """The domains in the form that a tenant keeps, '' for any; raises WrongUse."""
    found = []

    for value in values:
        for part in value.split(","):
            name = part.strip().removeprefix("@").rstrip(".")
            if not name:
                continue
            try:
                found.append(address(f"x@{name}", "domain").rpartition("@")[2])
            except WrongUse:
                raise WrongUse(
                    "invalid_domain", f"{part.strip()!r} is not a domain.", "Give it like acme.com."
                ) from None

    return ",".join(dict.fromkeys(found))


def domains_of(tenant: Tenant) -> list[str]:
    """Those that a tenant may send from; none: any."""
    # Older versions kept those in other scripts as they were given.
    kept = tenant.domains.split(",") if tenant.domains else []
    return [kept_address(f"x@{domain}").rpartition("@")[2] for domain in kept]


def check_domain(tenant: Tenant, mailbox: str) -> None:
    """Require that a tenant may send from a mailbox; raises Refused."""
    domain = mailbox.rpartition("@")[2].casefold()
    if (known := domains_of(tenant)) and domain not in known:
        allowed = " or ".join(known)
        message = f"{tenant.organisation} may send only from mailboxes of {allowed}, and {mailbox} is none."
        remedy = f"Choose a mailbox of {allowed}, or have whoever runs certmail allow this domain too (certmail tenants set {tenant.id} --domain …)."
        raise Refused("domain_not_allowed", message, remedy)
