"""Reminders are called off from the command line, one or a whole campaign, while workers send."""

from __future__ import annotations

from pathlib import Path

from support.deployment.deployment import QUICK, campaign, deployment, wait_for


def test_a_campaign_is_called_off_while_it_is_being_sent(tmp_path: Path) -> None:
    with deployment(tmp_path, **QUICK) as place:
        place.link()
        place.worker()
        stopped = place.send(campaign(300, campaign="stopped"))  # five minutes of this mailbox
        wait_for("some have left", lambda: len(place.messages()) >= 3)
        done = place.ask("cancel", "--campaign", "stopped", "--reason", "the audit was called off")
        other = place.send(campaign(2, campaign="other"))
        states = place.wait_recorded(stopped + other, {"accepted", "cancelled"})
        sent = place.copies()
        assert {job for job in stopped if states[job] == "accepted"} == set(sent) & set(stopped)
        assert done["cancelled"] == sum(states[job] == "cancelled" for job in stopped) > 0
        assert [states[job] for job in other] == ["accepted", "accepted"]
        off = next(job for job in stopped if states[job] == "cancelled")
        assert place.status(off)["reason"].startswith("cancelled: the audit was called off; by ")


def test_one_reminder_is_called_off_or_the_answer_says_why_not(tmp_path: Path) -> None:
    with deployment(tmp_path, **QUICK) as place:
        place.link()
        [waits, sends] = place.send(campaign(2))
        assert place.ask("cancel", waits.upper()) == {
            "id": waits,
            "result": "cancelled",
            "state": "cancelled",
        }
        assert place.ask("cancel", waits)["result"] == "cancelled"
        place.worker()
        place.wait_recorded([waits, sends], {"accepted", "cancelled"})
        late = place.run("cancel", sends, "--json")
        assert (late.status, late.json["result"]) == (1, "already_final")
        assert place.run("cancel", "nobody", "--json").json["result"] == "unknown"
        assert len(place.messages()) == 1

        wrong = place.run("cancel", "--json")
        assert (wrong.status, wrong.json["error"]["code"]) == (2, "wrong_use")
        place.admin.add_tenant("globex")
        whose = place.run("cancel", "--campaign", "q4")
        assert (whose.status, "--tenant" in whose.err) == (2, True)


def test_a_request_under_way_is_not_stopped_but_not_repeated_either(tmp_path: Path) -> None:
    with deployment(tmp_path, **QUICK) as place:
        place.link()
        place.fault("hang_after", times=1)
        place.worker()
        [job] = place.send(campaign(1))
        wait_for("it is under way", lambda: place.status(job)["state"] == "sending")
        said = place.run("cancel", job, "--json")
        assert (said.status, said.json["result"]) == (1, "already_sending")
        place.wait_recorded([job], {"uncertain"})
        assert place.status(job)["held"] is True
        assert place.run("cancel", job, "--json").json["result"] == "uncertain"
        assert place.copies()[job] == 1
