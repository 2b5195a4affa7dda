"""A Flask application that reminds all reviewers of a campaign; CERTMAIL_REDIS_URL says where."""

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from certmail import Mailer, Receipt, Reminder

app = Flask(__name__)


@app.post("/remind")
def remind() -> ResponseReturnValue:
    """POST {"reviewers": ["anna@acme.example", ...]}."""
    reminders = (
        Reminder(tenant="acme", to=each, campaign="q4") for each in request.get_json()["reviewers"]
    )
    with Mailer.from_env() as mailer:
        answers = list(mailer.send_many(reminders))
    return jsonify([each.as_json() for each in answers if isinstance(each, Receipt)]), 202
