"""What was handed out: authorization codes, refresh tokens, access tokens, and consents."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from certmail_sandbox.accounts import scopes as scope_names
from certmail_sandbox.accounts.directory import Account, OAuthClient, ServiceAccount

ACCESS_SECONDS = 3599  # what Google's answers usually say (google.md §3.3)
CODE_SECONDS = 600
MAX_REFRESH = 100  # live ones per account and client; one more drops the oldest (google.md §3.4)


@dataclass(slots=True, eq=False)
class Code:
    """An authorization code: good once, for ten minutes, for one client and one redirect URI.

    Attributes:
        seconds: For how long access was granted; None for until it is withdrawn.
    """

    value: str
    client: OAuthClient
    account: Account
    scopes: frozenset[str]
    redirect_uri: str
    expires_at: float
    challenge: str | None
    challenge_method: str
    nonce: str | None
    refreshable: bool
    seconds: float | None


@dataclass(slots=True, eq=False)
class RefreshToken:
    """A refresh token.

    Attributes:
        made_at: When the person signed in for it, in seconds since the epoch.
        used_at: When an access token was last made with it.
        expires_at: When it ends of itself; None where it has no end.
    """

    value: str
    client: OAuthClient
    account: Account
    scopes: frozenset[str]
    made_at: float
    used_at: float
    expires_at: float | None


@dataclass(slots=True, eq=False)
class AccessToken:
    """A bearer token.

    `account` is the mailbox that it opens; a service account without `sub` opens none.
    """

    value: str
    owner: OAuthClient | ServiceAccount
    account: Account | None
    scopes: frozenset[str]
    expires_at: float
    refresh: RefreshToken | None = None

    @property
    def project(self) -> str:
        """The project whose quota the token uses: that of its client or service account."""
        return self.owner.project


@dataclass
class Tokens:
    """Every code and token that is alive, and the consents on record.

    Attributes:
        access_seconds: For how long an access token is good that is handed out from now on.
    """

    codes: dict[str, Code] = field(default_factory=dict)
    spent: dict[str, AccessToken] = field(default_factory=dict)
    refresh: dict[str, RefreshToken] = field(default_factory=dict)
    access: dict[str, AccessToken] = field(default_factory=dict)
    consents: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    access_seconds: int = ACCESS_SECONDS

    def new_code(
        self,
        client: OAuthClient,
        account: Account,
        *,
        scopes: frozenset[str],
        redirect_uri: str,
        challenge: str | None,
        challenge_method: str,
        nonce: str | None,
        offline: bool,
        consent_asked: bool,
        seconds: float | None,
        now: float,
    ) -> Code:
        """Hand out an authorization code, and record the consent.

        A refresh token comes with the first consent, or with `prompt=consent` (google.md §3.1).
        """
        who = (client.client_id, account.sub)
        first = who not in self.consents
        self.consents[who] = self.consents.get(who, frozenset()) | scopes

        code = Code(
            value="4/0A" + secrets.token_urlsafe(48),
            client=client,
            account=account,
            scopes=scopes,
            redirect_uri=redirect_uri,
            expires_at=now + CODE_SECONDS,
            challenge=challenge,
            challenge_method=challenge_method,
            nonce=nonce,
            refreshable=offline and (first or consent_asked),
            seconds=seconds,
        )
        self.codes[code.value] = code
        return code

    def new_refresh(self, code: Code, now: float, expires_at: float | None) -> RefreshToken:
        """Hand out a refresh token, which ends at `expires_at` if that is no None.

        The oldest of 100 live ones of the account and client ends for it (google.md §3.4).
        """
        same = [
            t
            for t in self.refresh.values()
            if t.client is code.client and t.account is code.account
        ]
        for oldest in same[: max(0, len(same) + 1 - MAX_REFRESH)]:
            self.forget_refresh(oldest)

        token = RefreshToken(
            value="1//0" + secrets.token_urlsafe(72),
            client=code.client,
            account=code.account,
            scopes=code.scopes,
            made_at=now,
            used_at=now,
            expires_at=expires_at,
        )
        self.refresh[token.value] = token
        return token

    def new_access(
        self,
        owner: OAuthClient | ServiceAccount,
        account: Account | None,
        scopes: frozenset[str],
        now: float,
        refresh: RefreshToken | None = None,
    ) -> AccessToken:
        """Hand out an access token, of 3,599 seconds unless told otherwise (google.md §3.3)."""
        token = AccessToken(
            value="ya29.a0" + secrets.token_urlsafe(120),
            owner=owner,
            account=account,
            scopes=scopes,
            expires_at=now + self.access_seconds,
            refresh=refresh,
        )
        self.access[token.value] = token
        return token

    def used_again(self, code: str) -> bool:
        """Whether a code was good once; then what it gave ends."""
        access = self.spent.pop(code, None)
        if access is None:
            return False
        if access.refresh is not None:
            self.forget_refresh(access.refresh)
        self.access.pop(access.value, None)
        return True

    def live(self, value: str, now: float) -> AccessToken | None:
        """The access token, unless it is unknown, expired, or its account is gone."""
        token = self.access.get(value)
        if token is None or token.expires_at <= now or (token.account and token.account.deleted):
            return None
        return token

    def forget_refresh(self, token: RefreshToken) -> None:
        """End a refresh token and every access token made with it.

        A consent after the last one of an account and client is a first one again.
        """
        self.refresh.pop(token.value, None)
        for value in [v for v, access in self.access.items() if access.refresh is token]:
            del self.access[value]

        if not any(
            t.client is token.client and t.account is token.account for t in self.refresh.values()
        ):
            self.consents.pop((token.client.client_id, token.account.sub), None)

    def forget_grant(self, client: OAuthClient, account: Account) -> None:
        """End all that a person allowed a client.

        Its codes, refresh tokens and access tokens end, whatever each was for.

        Google keeps one grant per person and client, and revoking any of its tokens ends it:
        "Revokes all of the scopes that the user granted to the app" (google.accounts.oauth2.revoke
        in Google's JavaScript reference; google.md §3.5).
        """
        for code in [c for c in self.codes.values() if c.client is client and c.account is account]:
            del self.codes[code.value]

        for token in [
            t for t in self.refresh.values() if t.client is client and t.account is account
        ]:
            self.forget_refresh(token)

        for access in [
            a for a in self.access.values() if a.owner is client and a.account is account
        ]:
            del self.access[access.value]

        self.consents.pop((client.client_id, account.sub), None)

    def forget_account(self, account: Account) -> None:
        """End every grant of a person.

        That happens when the person removes the app's access, or changes the password with Gmail
        scopes granted (google.md §3.4).
        """
        for token in [t for t in self.refresh.values() if t.account is account]:
            self.forget_refresh(token)
        for value in [v for v, access in self.access.items() if access.account is account]:
            del self.access[value]
        for who in [key for key in self.consents if key[1] == account.sub]:
            del self.consents[who]

    def answer(self, token: AccessToken) -> dict[str, object]:
        """The common part of every answer of the token endpoint."""
        return {
            "access_token": token.value,
            "expires_in": self.access_seconds,
            "scope": scope_names.joined(token.scopes),
            "token_type": "Bearer",
        }
