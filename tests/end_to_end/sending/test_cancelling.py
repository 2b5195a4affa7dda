"""Reminders are called off from the command line, one or a whole campaign, while workers send."""

from __future__ import annotations

from pathlib import Path

from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for


def test_a_campaign_is_called_off_while_it_is_being_sent(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        deployment.worker()
        stopped = deployment.send(campaign(300, campaign="stopped"))  # five minutes of this mailbox
        wait_for("some have left", lambda: len(deployment.messages()) >= 3)
        done = deployment.ask(
            "cancel", "--campaign", "stopped", "--reason", "the audit was called off"
        )
        other = deployment.send(campaign(2, campaign="other"))
        states = deployment.wait_recorded(stopped + other, {"accepted", "cancelled"})
        sent = deployment.copies()

        assert {job for job in stopped if states[job] == "accepted"} == set(sent) & set(stopped)
        assert done["cancelled"] == sum(states[job] == "cancelled" for job in stopped) > 0
        assert [states[job] for job in other] == ["accepted", "accepted"]

        off = next(job for job in stopped if states[job] == "cancelled")
        assert deployment.status(off)["reason"].startswith(
            "cancelled: the audit was called off; by "
        )


def test_one_reminder_is_called_off_or_the_answer_says_why_not(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        [waits, sends] = deployment.send(campaign(2))
        assert deployment.ask("cancel", waits.upper()) == {
            "id": waits,
            "result": "cancelled",
            "state": "cancelled",
        }
        assert deployment.ask("cancel", waits)["result"] == "cancelled"

        deployment.worker()
        deployment.wait_recorded([waits, sends], {"accepted", "cancelled"})
        late = deployment.run("cancel", sends, "--json")
        assert (late.status, late.json["result"]) == (1, "already_final")
        assert deployment.run("cancel", "nobody", "--json").json["result"] == "unknown"
        assert len(deployment.messages()) == 1

        wrong = deployment.run("cancel", "--json")
        assert (wrong.status, wrong.json["error"]["code"]) == (2, "wrong_use")

        deployment.admin.add_tenant("globex")
        whose = deployment.run("cancel", "--campaign", "q4")
        assert (whose.status, "--tenant" in whose.err) == (2, True)


def test_a_request_under_way_is_not_stopped_but_not_repeated_either(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        deployment.fault("hang_after", times=1)
        deployment.worker()
        [job] = deployment.send(campaign(1))
        wait_for("it is under way", lambda: deployment.status(job)["state"] == "sending")
        said = deployment.run("cancel", job, "--json")
        assert (said.status, said.json["result"]) == (1, "already_sending")

        deployment.wait_recorded([job], {"uncertain"})
        assert deployment.status(job)["held"] is True
        assert deployment.run("cancel", job, "--json").json["result"] == "uncertain"
        assert deployment.copies()[job] == 1
