"""`certmail doctor` finds what is broken in a ledger, shows how it would mend it, and mends it."""

from __future__ import annotations

from pathlib import Path

from certmail_config.base import redis_keys
from support.deployment.deployment import campaign, new_deployment


def test_a_console_that_is_reached_in_the_clear_is_named(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment:
        found = deployment.run(
            "doctor", "--json", CERTMAIL_PUBLIC_URL="http://certmail.example.com"
        )
        [console] = [item for item in found.json["findings"] if item["check"] == "console"]

        assert console["severity"] == "warning"
        assert "https://" in console["remedy"]

        for fine in ("https://certmail.example.com", "http://localhost:8080", ""):
            found = deployment.run("doctor", "--json", CERTMAIL_PUBLIC_URL=fine)
            assert "console" not in {item["check"] for item in found.json["findings"]}, fine


def test_what_leaves_or_answers_in_the_clear_is_named(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment:
        opened = {"CERTMAIL_GMAIL_URL": "http://gmail.internal", "CERTMAIL_LISTEN": "0.0.0.0:8080"}
        opened |= {
            "CERTMAIL_FLOWER_LISTEN": "[::]:5555",
            "CERTMAIL_SANDBOX_LISTEN": "127.0.0.1:8090",
        }
        opened |= {"CERTMAIL_SANDBOX_URL": deployment.google}
        found = deployment.run("doctor", "--json", **opened).json["findings"]
        said = {item["check"]: item for item in found if item["severity"] == "warning"}

        assert "CERTMAIL_GMAIL_URL is http://gmail.internal" in said["google"]["message"]
        assert "no mail leaves" in said["sandbox"]["message"], "a setting that was forgotten"
        assert [item["message"].split()[0] for item in found if item["check"] == "listen"] == [
            "CERTMAIL_LISTEN",
            "CERTMAIL_FLOWER_LISTEN",
        ]

        usual = deployment.run("doctor", "--json").json["findings"]
        assert not {"google", "listen", "sandbox"} & {item["check"] for item in usual}, (
            "the sandbox is on this machine"
        )


def test_broken_indexes_are_named_shown_and_put_right(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment:
        lane = deployment.link()
        jobs = deployment.send(campaign(3))
        sound = deployment.run("doctor", "--json")
        assert (sound.status, sound.json["ok"]) == (0, True)

        deployment.admin.redis.zrem(redis_keys.LANE + lane, jobs[0])
        deployment.admin.redis.zrem(redis_keys.DUE, jobs[1])
        deployment.admin.redis.sadd(redis_keys.LEASED, "nobody")
        found = deployment.run("doctor", "--json")
        assert found.status == 1

        broken = {
            item["check"]: item for item in found.json["findings"] if item["severity"] == "error"
        }
        assert set(broken) == {"ledger in_no_lane", "ledger not_due", "ledger misplaced"}
        assert jobs[0] in broken["ledger in_no_lane"]["message"]
        assert "doctor --repair" in broken["ledger not_due"]["remedy"]

        shown = deployment.run("doctor", "--repair")
        assert shown.status == 1
        assert "This would be done" in shown.out
        assert jobs[1] in shown.out
        assert "--yes" in shown.err
        assert deployment.run("doctor", "--json").status == 1, "nothing was done"

        done = deployment.run("doctor", "--repair", "--yes", "--json")
        assert (done.status, done.json["ok"], done.json["repair"]["carried_out"]) == (0, True, True)
        assert done.json["repair"]["jobs"]["in_no_lane"] == [jobs[0]]

        again = deployment.run("doctor", "--repair", "--yes")
        assert (again.status, "nothing to repair" in again.out) == (0, True)

        deployment.worker()
        deployment.wait_recorded(jobs, {"accepted"})


def test_another_deployments_database_is_not_repaired_with(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment:
        deployment.admin.redis.set(redis_keys.EPOCH, "another")
        with deployment.admin.db() as db:
            db.exec_driver_sql("INSERT INTO recorder (id, cursor, epoch) VALUES (1, '0-0', 'ours')")
        found = deployment.run("doctor", "--json")
        [lineage] = [item for item in found.json["findings"] if item["check"] == "lineage"]
        assert (found.status, lineage["severity"]) == (1, "error")

        refused = deployment.run("doctor", "--repair", "--yes", "--json")
        assert (refused.status, refused.json["error"]["code"]) == (1, "foreign")


def test_a_time_without_zone_is_wrong_use(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment:
        wrong = deployment.run(
            "doctor", "--repair", "--stopped-at", "2026-11-23T04:00:00", "--json"
        )
        assert (wrong.status, wrong.json["error"]["code"]) == (2, "invalid_time")
