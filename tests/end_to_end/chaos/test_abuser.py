"""The chaos test's abuser of an API key: it asks in spells, and counts the answers."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chaos.abuser import Abuser
from support.deployment.deployment import wait_for


def test_it_asks_while_it_is_let_and_counts_its_answers() -> None:
    asked: list[str] = []

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["Authorization"])
            self.send_response(429)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        abuser = Abuser(f"http://127.0.0.1:{server.server_port}", "cm_key")
        abuser.begin(1)
        wait_for("it asks", lambda: len(asked) >= 3)
        abuser.end()
        abuser.begin(2)
        answers = abuser.over()
        server.shutdown()

    assert set(asked) == {"Bearer cm_key"}
    assert answers["429"] == len(asked)
    assert not abuser.over(), "it is over"
