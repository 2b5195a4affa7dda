"""Gmail's refusals, word for word where google.md §1.3-§1.5 knows the words."""

from certmail_sandbox.wire.clock import rfc3339
from certmail_sandbox.wire.errors import ApiError

SERVICE = "gmail.googleapis.com"


def invalid_credentials() -> ApiError:
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
    return ApiError(403, "PERMISSION_DENIED", "forbidden", message)


def delegation_denied(user: str) -> ApiError:
    return forbidden(f"Delegation denied for {user}")


def service_disabled(number: str) -> ApiError:
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
    return ApiError(400, "FAILED_PRECONDITION", "failedPrecondition", "Mail service not enabled")


def precondition_failed() -> ApiError:
    return ApiError(400, "FAILED_PRECONDITION", "failedPrecondition", "Precondition check failed.")


def invalid_argument(message: str) -> ApiError:
    return ApiError(400, "INVALID_ARGUMENT", "invalidArgument", message)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "INVALID_ARGUMENT", "badRequest", message)


def not_found(message: str = "Requested entity was not found.") -> ApiError:
    return ApiError(404, "NOT_FOUND", "notFound", message)


def too_large(message: str) -> ApiError:
    return ApiError(413, "INVALID_ARGUMENT", "uploadTooLarge", message)


def over_units(number: str, limit: int, *, per_user: bool) -> ApiError:
    """The minute's units are used up: today a 403, in the words of production (google.md §1.3)."""
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
    """The project's day is used up; the older wording, which Gmail's page on errors still has (google.md §1.3)."""
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
    """A 429 that names a time; two spaces before `Retry`, as Gmail writes it."""
    message = f"User-rate limit exceeded.  Retry after {rfc3339(retry_at)}{suffix}"
    return ApiError(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", message)


def too_many_concurrent() -> ApiError:
    return ApiError(
        429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "Too many concurrent requests for user"
    )


def backend_error(status: int = 503) -> ApiError:
    canonical = "UNAVAILABLE" if status == 503 else "INTERNAL"
    return ApiError(
        status,
        canonical,
        "backendError",
        "The service is currently unavailable.",
        short="Backend Error",
    )
