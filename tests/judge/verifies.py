"""A receiver in Python that knows nothing but the standard's own library, and one secret.

It is run by an interpreter of its own, in which that library is, and nothing of certmail's.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


class Handler(BaseHTTPRequestHandler):
    """Verifies what is posted, and says what it is."""

    def do_POST(self) -> None:
        """Answer 200 with the type, or 400 with what the library says."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, said = 200, Webhook(sys.argv[1]).verify(body, dict(self.headers))["type"]
        except WebhookVerificationError as error:
            status, said = 400, str(error)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


server = HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
print("listens", flush=True)  # noqa: T201 - read by whoever started it
server.serve_forever()
