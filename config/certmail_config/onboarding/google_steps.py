"""What is to be done at Google for one connection, as pages and commands show it. Pure.

That is: links, blocks to paste, scopes.
"""

from __future__ import annotations

from dataclasses import dataclass

from certmail_config.google.consoles import Consoles, project_of
from certmail_config.google.setup_commands import CLIENT_ID, Wanted, gcloud, terraform
from certmail_config.tenants.models import METADATA_SCOPE, SEND_SCOPE, Connection


def scopes_of(connection: Connection) -> tuple[str, ...]:
    """All scopes that a connection's client ID is to be authorised for.

    What is pasted into Google's table takes the place of what stands there.
    """
    return (SEND_SCOPE, METADATA_SCOPE) if connection.verify else (SEND_SCOPE,)


@dataclass(frozen=True, slots=True)
class GoogleSteps:
    """Of a customer owned application; `client_id` is empty until Google has told it."""

    connection: Connection
    client_id: str
    consoles: Consoles

    @property
    def project(self) -> str:
        """The service account's project, as far as its address names it."""
        return project_of(self._service_account)

    @property
    def scopes(self) -> str:
        """All scopes, as the Admin console's field takes them."""
        return ",".join(scopes_of(self.connection))

    @property
    def shell(self) -> str:
        """A terminal in the browser."""
        return self.consoles.cloud_shell(self.project)

    @property
    def gmail_api(self) -> str:
        """Where the API is enabled."""
        return self.consoles.gmail_api(self.project)

    @property
    def new_service_account(self) -> str:
        """Where the account is made."""
        return self.consoles.new_service_account(self.project)

    @property
    def keys(self) -> str:
        """Where the certificate is uploaded."""
        return self.consoles.service_account_keys(self._service_account, self.client_id)

    @property
    def policy(self) -> str:
        """Where the policy that forbids it is lifted."""
        return self.consoles.key_upload_policy(self.project)

    @property
    def delegation(self) -> str:
        """Where it is authorised to send."""
        return self.consoles.delegation(self.client_id, scopes_of(self.connection))

    @property
    def delegation_table(self) -> str:
        """The page that this is on, with nothing filled in."""
        return self.consoles.delegation("", ())

    @property
    def app_access(self) -> str:
        """Where a Workspace administrator trusts an OAuth client."""
        return self.consoles.app_access()

    def gcloud(self, certificate: str) -> str:
        """Everything in Google Cloud, with this certificate, for a shell."""
        return gcloud(self._wanted(certificate))

    def terraform(self, certificate: str) -> str:
        """The block of `gcloud`, as Terraform."""
        return terraform(self._wanted(certificate))

    @property
    def _service_account(self) -> str:
        return self.connection.service_account or ""

    def _wanted(self, certificate: str) -> Wanted:
        page = self.consoles.delegation(CLIENT_ID, scopes_of(self.connection))
        return Wanted(self._service_account, certificate, page)
