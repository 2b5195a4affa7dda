# mypy: ignore-errors
"""Sending with Gmail from Celery as Google's quickstart has it: everything is made in the task."""

from __future__ import annotations

from celery_app import app, enqueue
from common import GMAIL_URL, TOKEN_URL
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build


@app.task(name="send_mail")
def send_mail(mailbox, raw):
    """Send one mail."""
    credentials = Credentials(
        None,
        refresh_token=f"1//refresh-{mailbox}",
        token_uri=TOKEN_URL,
        client_id="bench.apps.googleusercontent.com",
        client_secret="bench",
        scopes=["https://www.googleapis.com/auth/gmail.send"],
    )

    service = build(
        "gmail", "v1", credentials=credentials, client_options={"api_endpoint": GMAIL_URL}
    )
    service.users().messages().send(userId="me", body={"raw": raw}).execute()


if __name__ == "__main__":
    enqueue(send_mail)
