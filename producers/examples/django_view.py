"""A Django view that reminds one reviewer; CERTMAIL_REDIS_URL says where."""

from django.http import HttpRequest, JsonResponse

from certmail import Mailer, Reminder, ReminderRejected


def remind(request: HttpRequest) -> JsonResponse:
    """POST reviewer=anna@acme.example."""
    try:
        with Mailer.from_env() as mailer:
            receipt = mailer.send(
                Reminder(tenant="acme", to=request.POST["reviewer"], campaign="q4")
            )
    except ReminderRejected as rejected:
        return JsonResponse(rejected.as_json(), status=422)
    return JsonResponse(receipt.as_json(), status=202)
