"""What must be readable nowhere: keys, tokens, recipients, texts."""

from __future__ import annotations

import base64
import json
import sqlite3
from pathlib import Path

from certmail_config import keys
from certmail_config.embedded import embedded_server
from certmail_config.settings import Settings
from certmail_config.stores import connect, vault_keys
from certmail_config.vault import Vault
from support.town import QUICK, campaign, town, wait_for


def chunks(secret: bytes) -> set[bytes]:
    """A secret as it could be found: raw, in base64 at each of its three alignments, in hex, in URL form."""
    found = {secret, secret.hex().encode()}
    for shift in range(3):
        text = base64.b64encode(secret[shift : shift + 60])[4:-4]
        found |= {text, text.replace(b"+", b"-").replace(b"/", b"_")}
    return {item for item in found if len(item) >= 8}


def test_nothing_secret_or_personal_is_in_redis_logs_or_messages(tmp_path: Path) -> None:
    with town(tmp_path, **QUICK) as place:
        place.link()
        place.worker()
        place.fault("drop_token", times=1)
        place.fault(
            {
                "status": 400,
                "headers": {},
                "body": {"error": {"code": 400, "message": "Invalid To header: <reviewer1@people.example>"}},
            }
        )
        jobs = place.send(campaign(6))
        place.wait_recorded(jobs, {"accepted", "failed"})

        settings = Settings(data_dir=tmp_path)
        [(_, vault_key)] = vault_keys(settings)
        vault = Vault(vault_keys(settings))
        database = sqlite3.connect(tmp_path / "certmail.sqlite")
        sealed_key, connection, tenant = database.execute(
            "SELECT private_key, id, tenant FROM connections"
        ).fetchone()
        [tenant_sealed] = database.execute("SELECT private_key FROM tenants").fetchone()
        database.close()
        private_key = vault.open(sealed_key, owner=f"{tenant}/{connection}")
        tenant_key = vault.open(tenant_sealed, owner=tenant)
        tokens = []
        with embedded_server(tmp_path) as url, connect(url) as redis:
            for name in redis.scan_iter(keys.TOKEN + "*"):
                version, purpose = name.decode().split(":")[-2:]
                opened = vault.open(redis.get(name), owner=f"{tenant}/{connection}/token/{version}/{purpose}")
                tokens.append(json.loads(opened)["secret"].encode())
            redis.xlen(keys.EVENTS)
        assert tokens, "there is a token to look for"

        secrets = {
            "vault key": chunks(vault_key),
            "tenant key": chunks(tenant_key),
            "private key": {line for line in private_key.splitlines() if len(line) > 40}
            | chunks(base64.b64decode(b"".join(private_key.splitlines()[1:-1]))[100:160]),
            "access token": set(tokens),
        }
        personal = {
            "address": {b"reviewer", b"people.example", b"cmV2aWV3ZX"},
            "mailbox": {b"reviews@acme.example"},
            "name": {"Réviewer".encode(), b"R\\u00e9viewer", "Ñumber".encode()},
            "text": {b"Quarterly secret campaign", b"iga.example/r/"},
        }
        aof = {path: path.read_bytes() for path in (tmp_path / "valkey").rglob("*") if path.is_file()}
        assert any(
            b"certmail.deliver" in content or b"Y2VydG1haWwuZGVsaXZlcg" in content for content in aof.values()
        ), "Celery's messages are in it"
        assert any(job.encode() in content for content in aof.values() for job in jobs)
        logs = {path: path.read_bytes() for path in tmp_path.glob("*.log")}
        assert any(job.encode() in content for content in logs.values() for job in jobs)
        for path, content in (aof | logs).items():
            for what, forms in (secrets | personal).items():
                for form in forms:
                    assert form not in content, f"{what} is readable in {path.name}"

        wait_for("the record", lambda: len(place.recorded()) == len(jobs))
        for path in tmp_path.glob("certmail.sqlite*"):
            content = path.read_bytes()
            for what, forms in secrets.items():
                for form in forms:
                    assert form not in content, f"{what} is readable in {path.name}"
