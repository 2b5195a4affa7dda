"""Putting a certificate on a service account, and the checks that stand between.

They are the same whoever uploads it, and however.
"""

from __future__ import annotations

from certmail_sandbox.accounts import certificates
from certmail_sandbox.accounts.certificates import UploadedKey
from certmail_sandbox.accounts.directory import MAX_KEYS, ServiceAccount
from certmail_sandbox.state import State
from certmail_sandbox.wire.fields import Refused


def upload(state: State, account: ServiceAccount, content: bytes) -> UploadedKey:
    """List a certificate among the keys; the same one again keeps its id.

    Raises Refused if it is no fit certificate, the organisation forbids it, or there are ten
    already (google.md §4.3).
    """
    try:
        key = certificates.read(content, state.now())
    except certificates.BadCertificate as bad:
        raise Refused(str(bad)) from None

    _check_policies(state, account, key)
    same = next((known for known in account.keys.values() if known.pem == key.pem), None)
    if same is None and len(account.keys) >= MAX_KEYS:
        raise Refused(f"The service account has {MAX_KEYS} keys already; delete one first.")

    return account.keys.setdefault((same or key).kid, same or key)


def _check_policies(state: State, account: ServiceAccount, key: UploadedKey) -> None:
    """Refuse what the organisation forbids (google.md §4.3).

    The words are those that GAM's users report (GAM-team/GAM#1678). Raises Refused.
    """
    project = state.directory.project(account.project)
    subject = f"projects/{account.project}/serviceAccounts/{account.email}"
    if not project.key_upload:
        raise Refused(
            f"Constraint `constraints/iam.disableServiceAccountKeyUpload` violated for service account {subject}"
            " attempting to upload public key."
        )

    hours = project.key_expiry_hours
    if hours is not None and key.valid_before > state.now() + hours * 3600:
        raise Refused(
            f"Constraint `constraints/iam.serviceAccountKeyExpiryHours` violated for service account {subject}: the"
            f" certificate lasts longer than {hours} hours."
        )
