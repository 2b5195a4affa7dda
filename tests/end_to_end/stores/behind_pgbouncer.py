"""The record behind a pgbouncer that hands out its connections by the transaction.

`make pgbouncer`, which needs the program.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from certmail_config.sql.engine import open_database
from support.deployment.deployment import STEADY, campaign, new_deployment, recorded_in, wait_for
from support.servers.postgres import OWNER, Postgres

PORT = 6432  # the name of its socket; nothing listens on the network
SETTINGS = """
[databases]
* = host={folder} user={owner}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}/pooled
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 2
logfile = {folder}/pooled/log
pidfile = {folder}/pooled/pid
"""


@contextmanager
def pgbouncer(server: Postgres) -> Iterator[Path]:
    """Two connections to the server, for whoever comes; gives the directory of its socket."""
    folder = server.folder / "pooled"
    folder.mkdir()
    written = folder / "pgbouncer.ini"
    written.write_text(SETTINGS.format(folder=server.folder, port=PORT, owner=OWNER))
    user = "nobody" if os.geteuid() == 0 else None

    if user is not None:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        folder.chmod(0o755)

    process = subprocess.Popen(["pgbouncer", "-q", str(written)], user=user, cwd=folder)

    try:
        wait_for("pgbouncer", (folder / f".s.PGSQL.{PORT}").exists)
        yield folder
    finally:
        process.terminate()
        process.wait(60)


def test_everything_is_recorded_and_nothing_relies_on_a_session(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    postgres_server.execute("CREATE DATABASE pooled")

    with pgbouncer(postgres_server) as socket:
        url = f"postgresql+psycopg://{OWNER}@/pooled?host={socket}&port={PORT}"
        engine = open_database(url)

        with new_deployment(tmp_path, **STEADY, **recorded_in(url)) as deployment:
            with ThreadPoolExecutor(2) as pool:  # both at once: one upgrades, the other waits
                ran = list(pool.map(lambda _: deployment.run("db", "upgrade"), range(2)))
            assert [each.status for each in ran] == [0, 0], ran

            deployment.link(units=100_000)
            deployment.worker()
            jobs = deployment.send(campaign(60))
            deployment.wait_recorded(jobs, {"accepted"}, 90)
            for _ in range(12):  # the driver would prepare what comes again
                assert len(deployment.ask("deliveries", "list")["deliveries"]) == 60

            findings = deployment.run("doctor", "--json").json["findings"]
            assert not [item for item in findings if item["severity"] == "error"]

        for _ in range(12):
            with engine.begin() as db:
                assert (
                    db.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
                    == "15s"
                )

        engine.dispose()
        # The statements that came again and again were not kept by any connection.
        direct = open_database(postgres_server.url("pooled"))
        with direct.connect() as db:
            assert db.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() == 0
        direct.dispose()
