"""The pages of Google's two consoles that a set-up needs. Pure.

Project, service account, client ID and scopes are filled in.

What Google documents is marked D, what only others use and rely on R; none of it can be checked
without an account, so pages name the way through the menus beside each link. Sources: google.md §9;
of R the addresses that GAM (GAM-team/GAM) prints for its administrators, and those that many public
set-up guides link to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

GMAIL_API: Final = "gmail.googleapis.com"
KEY_UPLOAD_POLICY: Final = "iam.disableServiceAccountKeyUpload"
_OF_PROJECTS: Final = ".iam.gserviceaccount.com"
_APP_ENGINE: Final = "appspot.gserviceaccount.com"


@dataclass(frozen=True, slots=True)
class Consoles:
    """Where they are: Google's own, or a sandbox's stand-ins."""

    cloud: str
    admin: str

    def cloud_shell(self, project: str = "") -> str:
        """A terminal in the browser that has gcloud and is signed in.

        D (docs.cloud.google.com/shell).
        """
        return _page(self.cloud, "/", cloudshell="true", project=project)

    @property
    def projects(self) -> str:
        """The list of projects, with their ids.

        D (docs.cloud.google.com/resource-manager/docs/creating-managing-projects).
        """
        return _page(self.cloud, "/cloud-resource-manager")

    def gmail_api(self, project: str) -> str:
        """Where the Gmail API is enabled. D."""
        return _page(self.cloud, f"/apis/library/{GMAIL_API}", project=project)

    def new_service_account(self, project: str) -> str:
        """Where a service account is made.

        D (docs.cloud.google.com/iam/docs/service-accounts-create).
        """
        return _page(self.cloud, "/iam-admin/serviceaccounts/create", project=project)

    def service_account_keys(self, service_account: str, client_id: str = "") -> str:
        """Where a service account's key is uploaded: its page Keys. R.

        The page is found by the account's numeric id where that is known, else by its email.

        A service account whose address does not name its project is found by its number alone;
        without one, the console's own list is as near as a link can lead.
        """
        project = project_of(service_account)
        if not (project or client_id):
            return _page(self.cloud, "/iam-admin/serviceaccounts")

        account = quote(client_id or service_account, safe="@")
        return _page(
            self.cloud, f"/iam-admin/serviceaccounts/details/{account}/keys", project=project
        )

    def key_upload_policy(self, project: str) -> str:
        """Where the organisation's policy against uploaded keys is lifted for a project. R."""
        policy = f"/iam-admin/orgpolicies/{KEY_UPLOAD_POLICY.replace('.', '-')}"
        return _page(self.cloud, policy, project=project)

    def delegation(self, client_id: str, scopes: Sequence[str]) -> str:
        """Domain-wide delegation with the form filled in, to be authorised. R: what GAM prints.

        It *replaces* what this client was authorised for, so all its scopes are named. Without the
        client ID, which only Google knows, the page with the table. D.
        """
        path = "/ac/owl/domainwidedelegation"
        if not client_id:
            return _page(self.admin, path)

        return _page(
            self.admin,
            path,
            clientIdToAdd=client_id,
            clientScopeToAdd=",".join(scopes),
            overwriteClientId="true",
        )

    def app_access(self) -> str:
        """App access control, where a Workspace administrator trusts an OAuth client. R."""
        return _page(self.admin, "/ac/owl/list", tab="configuredApps")


def project_of(service_account: str) -> str:
    """The project that the address of a service account names; empty where it names none.

    `name@PROJECT.iam.gserviceaccount.com`; of a project with a domain, `example.com:PROJECT`, it is
    `name@PROJECT.example.com.iam.gserviceaccount.com`; App Engine's own is
    `PROJECT@appspot.gserviceaccount.com`. D (docs.cloud.google.com/iam/docs/service-account-types).
    """
    name, _, host = service_account.casefold().rpartition("@")
    if host == _APP_ENGINE:
        return name
    if not host.endswith(_OF_PROJECTS):
        return ""

    project, dot, domain = host.removesuffix(_OF_PROJECTS).partition(".")
    return f"{domain}:{project}" if dot else project


def account_of(project: str, name: str) -> str:
    """The address of a service account of this name in a project: the other way round."""
    domain, colon, plain = project.rpartition(":")
    return f"{name}@{plain}.{domain}{_OF_PROJECTS}" if colon else f"{name}@{plain}{_OF_PROJECTS}"


def _page(base: str, path: str, **query: str) -> str:
    given = urlencode(
        {name: value for name, value in query.items() if value}, safe=":/,", quote_via=quote
    )
    return f"{base.rstrip('/')}{path}{'?' if given else ''}{given}"
