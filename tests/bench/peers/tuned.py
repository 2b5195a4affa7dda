# mypy: ignore-errors
"""Sending with Gmail from Celery by somebody who measured.

Service, connection and tokens are kept in each process.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import httplib2
from celery.signals import worker_process_init
from celery_app import app, enqueue
from common import GMAIL_URL, TOKENS
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build

kept = {}


@worker_process_init.connect
def open_service(**_):
    """Once per process."""
    http = httplib2.Http(timeout=60)
    kept["http"] = http
    kept["service"] = build("gmail", "v1", http=http, client_options={"api_endpoint": GMAIL_URL})
    later = datetime.utcnow() + timedelta(hours=1)  # noqa: DTZ003 - google-auth's own convention
    kept["authorized"] = {
        mailbox: AuthorizedHttp(Credentials(token, expiry=later), http=http)
        for mailbox, token in TOKENS.items()
    }


@app.task(name="send_mail")
def send_mail(mailbox, raw):
    """Send one mail."""
    request = kept["service"].users().messages().send(userId="me", body={"raw": raw})
    request.execute(http=kept["authorized"][mailbox])


if __name__ == "__main__":
    enqueue(send_mail)
