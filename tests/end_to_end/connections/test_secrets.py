"""Secrets that must be readable nowhere: keys, tokens, recipients, texts."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from certmail_config.base import redis_keys
from certmail_config.crypto.vault import Vault
from certmail_config.settings import Settings
from certmail_config.stores.connect import connect, vault_keys
from certmail_config.stores.embedded import embedded_server
from support.data.secrets import chunks, key_forms
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for


def printed(deployment: Deployment, connection: str) -> dict[str, bytes]:
    """The output, on stdout and stderr, of commands about a connection.

    The last has a vault key that opens nothing.
    """
    commands = [
        ("connections", "show", connection),
        ("connections", "show", connection, "--json"),
        ("connections", "certificate", connection),
        ("connections", "probe", connection, "--json"),
        ("doctor", "--json"),
    ]

    ran = {" ".join(command): deployment.run(*command) for command in commands}
    assert all(done.out for done in ran.values()), ran

    ran["probe in vain"] = deployment.run(
        "connections", "probe", connection, CERTMAIL_VAULT_KEYS=f"other:{'A' * 43}="
    )
    assert ran["probe in vain"].status != 0

    return {name: (done.out + done.err).encode() for name, done in ran.items()}


def hidden(secrets: dict[str, set[bytes]], contents: dict[str, bytes]) -> None:
    """Fails where a secret can be read, naming both."""
    for name, content in contents.items():
        for what, forms in secrets.items():
            assert not any(form in content for form in forms), f"{what} is readable in {name}"


def test_nothing_secret_or_personal_is_in_redis_logs_or_messages(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        deployment.worker()
        deployment.fault("drop_token", times=1)
        deployment.fault(
            {
                "status": 400,
                "headers": {},
                "body": {
                    "error": {
                        "code": 400,
                        "message": "Invalid To header: <reviewer1@people.example>",
                    }
                },
            }
        )
        jobs = deployment.send(campaign(6))
        deployment.wait_recorded(jobs, {"accepted", "failed"})

        settings = Settings(data_dir=tmp_path)
        [(_, vault_key)] = vault_keys(settings)
        vault = Vault(vault_keys(settings))
        database = sqlite3.connect(tmp_path / "certmail.sqlite")
        sealed_key, connection, tenant = database.execute(
            "SELECT private_key, id, tenant FROM connections"
        ).fetchone()
        [tenant_sealed] = database.execute("SELECT private_key FROM tenants").fetchone()
        database.close()
        private_key = vault.open(sealed_key, owner=f"{tenant}/{connection}/private_key")
        tenant_key = vault.open(tenant_sealed, owner=f"{tenant}/private_key")
        tokens = []
        with embedded_server(tmp_path) as url, connect(url) as redis:
            for name in redis.scan_iter(redis_keys.TOKEN + "*"):
                version, purpose = name.decode().split(":")[-2:]
                opened = vault.open(
                    redis.get(name), owner=f"{tenant}/{connection}/token/{version}/{purpose}"
                )
                tokens.append(json.loads(opened)["secret"].encode())
            redis.xlen(redis_keys.EVENTS)
        assert tokens, "there is a token to look for"

        secrets = {
            "vault key": chunks(vault_key),
            "tenant key": chunks(tenant_key),
            "private key": key_forms(private_key),
            "access token": set(tokens),
        }
        personal = {
            "address": {b"reviewer", b"people.example", b"cmV2aWV3ZX"},
            "mailbox": {b"reviews@acme.example"},
            "name": {"Réviewer".encode(), b"R\\u00e9viewer", "Ñumber".encode()},
            "text": {b"Quarterly secret campaign", b"iga.example/r/"},
        }
        hidden(secrets, printed(deployment, connection))
        aof = {
            path: path.read_bytes() for path in (tmp_path / "valkey").rglob("*") if path.is_file()
        }

        assert any(
            b"certmail.deliver" in content or b"Y2VydG1haWwuZGVsaXZlcg" in content
            for content in aof.values()
        ), "Celery's messages are in it"
        assert any(job.encode() in content for content in aof.values() for job in jobs)

        logs = {path: path.read_bytes() for path in tmp_path.glob("*.log")}
        assert any(job.encode() in content for content in logs.values() for job in jobs)

        hidden(secrets | personal, {str(path): content for path, content in (aof | logs).items()})

        wait_for("the record", lambda: len(deployment.recorded()) == len(jobs))
        hidden(
            secrets, {path.name: path.read_bytes() for path in tmp_path.glob("certmail.sqlite*")}
        )
