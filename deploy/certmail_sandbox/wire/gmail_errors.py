"""Gmail's refusals, word for word where google.md §1.3-§1.5 knows the words."""

from __future__ import annotations

from certmail_sandbox.wire.clock import rfc3339
from certmail_sandbox.wire.errors import ApiError

SERVICE = "gmail.googleapis.com"


def invalid_credentials() -> ApiError:
    """401, for a token that is unknown, expired or revoked (google.md §1.4)."""
    return ApiError(
        401,
        "UNAUTHENTICATED",
        "authError",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other"
        " valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        short="Invalid Credentials",
        header="Authorization",
    )


def login_required() -> ApiError:
    """401, for a request without any token."""
    return ApiError(
        401,
        "UNAUTHENTICATED",
        "required",
        "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or"
        " other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        short="Login Required.",
        header="Authorization",
        info=("CREDENTIALS_MISSING", {"service": SERVICE}),
    )


def insufficient_scope(rpc: str) -> ApiError:
    """403, for a token without a scope that the method needs (google.md §1.4)."""
    return ApiError(
        403,
        "PERMISSION_DENIED",
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        short="Insufficient Permission",
        info=(
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            {"service": SERVICE, "method": f"caribou.api.proto.MailboxService.{rpc}"},
        ),
    )


def forbidden(message: str) -> ApiError:
    """403, with the sentence that says what is forbidden."""
    return ApiError(403, "PERMISSION_DENIED", "forbidden", message)


def delegation_denied(user: str) -> ApiError:
    """403, for a path that names another mailbox than the token's (google.md §1.5)."""
    return forbidden(f"Delegation denied for {user}")


def service_disabled(number: str) -> ApiError:
    """403, for a project in which the Gmail API is not enabled (google.md §1.5)."""
    where = f"https://console.developers.google.com/apis/api/{SERVICE}/overview?project={number}"
    return ApiError(
        403,
        "PERMISSION_DENIED",
        "accessNotConfigured",
        f"Gmail API has not been used in project {number} before or it is disabled. Enable it by visiting {where}"
        " then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our"
        " systems and retry.",
        domain="usageLimits",
        info=("SERVICE_DISABLED", {"service": SERVICE, "consumer": f"projects/{number}"}),
    )


def domain_policy() -> ApiError:
    """The administrators' no, in the words of Gmail's page on errors (google.md §1.3)."""
    words = "The domain administrators have disabled Gmail apps."
    return ApiError(403, "PERMISSION_DENIED", "domainPolicy", words)


def mail_not_enabled() -> ApiError:
    """400, for a person without Gmail (google.md §1.5)."""
    return ApiError(400, "FAILED_PRECONDITION", "failedPrecondition", "Mail service not enabled")


def precondition_failed() -> ApiError:
    """400 `Precondition check failed.`, for a token without a mailbox (google.md §1.5)."""
    return ApiError(400, "FAILED_PRECONDITION", "failedPrecondition", "Precondition check failed.")


def invalid_argument(message: str) -> ApiError:
    """400, for a value that the method cannot take, such as a bad recipient (google.md §1.5)."""
    return ApiError(400, "INVALID_ARGUMENT", "invalidArgument", message)


def bad_request(message: str) -> ApiError:
    """400, for a request that cannot be read (google.md §1.5)."""
    return ApiError(400, "INVALID_ARGUMENT", "badRequest", message)


def not_found(message: str = "Requested entity was not found.") -> ApiError:
    """404, for what there is not."""
    return ApiError(404, "NOT_FOUND", "notFound", message)


def too_large(message: str) -> ApiError:
    """413, for more bytes than the endpoint takes (google.md §1.5, §1.6)."""
    return ApiError(413, "INVALID_ARGUMENT", "uploadTooLarge", message)


def over_units(number: str, limit: int, *, per_user: bool) -> ApiError:
    """403, once the minute's units are used up, in the words of production (google.md §1.3)."""
    name = "Units per minute per user" if per_user else "Units per minute"
    return ApiError(
        403,
        "PERMISSION_DENIED",
        "rateLimitExceeded",
        f"Quota exceeded for quota metric 'Total Query Cost' and limit '{name}' of service '{SERVICE}'"
        f" for consumer 'project_number:{number}'.",
        domain="usageLimits",
        info=(
            "RATE_LIMIT_EXCEEDED",
            {
                "service": SERVICE,
                "consumer": f"projects/{number}",
                "quota_metric": f"{SERVICE}/total_query_cost",
                "quota_limit": "UnitsPerMinutePerUser" if per_user else "UnitsPerMinutePerProject",
                "quota_limit_value": str(limit),
                "quota_location": "global",
                "quota_unit": "1/min/{project}/{user}" if per_user else "1/min/{project}",
            },
        ),
    )


def daily_limit_exceeded(number: str) -> ApiError:
    """403, once the project's day is used up (google.md §1.3).

    This is the older wording, which Gmail's page on errors still has.
    """
    where = f"https://console.developers.google.com/apis/api/{SERVICE}/quotas?project={number}"
    return ApiError(
        403,
        "PERMISSION_DENIED",
        "dailyLimitExceeded",
        "Daily Limit Exceeded. The quota will be reset at midnight Pacific Time (PT). You may monitor your quota usage"
        f" and adjust limits in the API Console: {where}",
        domain="usageLimits",
    )


def user_rate_limit(retry_at: float, suffix: str = "") -> ApiError:
    """429 that names a time; two spaces before `Retry`, as Gmail writes it (google.md §1.3)."""
    message = f"User-rate limit exceeded.  Retry after {rfc3339(retry_at)}{suffix}"
    return ApiError(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", message)


def too_many_concurrent() -> ApiError:
    """429, for too many requests of a mailbox at once; it names no time (google.md §1.3)."""
    return ApiError(
        429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "Too many concurrent requests for user"
    )


def backend_error(status: int = 503) -> ApiError:
    """503 or another 5xx: Google failed, and says no more (google.md §1.4)."""
    canonical = "UNAVAILABLE" if status == 503 else "INTERNAL"
    return ApiError(
        status,
        canonical,
        "backendError",
        "The service is currently unavailable.",
        short="Backend Error",
    )
