"""What must be true of an installation on which the page was followed.

Asked as its operator can: by certmail's commands, through HTTPS, of Prometheus.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from walk.machine import Machine, Stumbled

SEVERAL: Final = 30
"""How many reminders wait when a worker is killed; the mailbox lets one go a second."""
END_SECONDS: Final = 300
SCRAPED_SECONDS: Final = 60
UNFINISHED: Final = frozenset({"scheduled", "ready", "dispatched", "sending"})
_REMIND: Final = """
enqueue() {
  curl --silent --show-error --fail --retry 60 --retry-all-errors --retry-delay 1 --max-time 30 \\
    --header "Authorization: Bearer $key" --json '{"tenant": "acme", "to": "'$2@$1.example'", "campaign": "'$1'", "pending": 1}' https://$name/v1/reminders > /dev/null
}
"""
_CONSOLE: Final = """
jar=$(mktemp)
page=$(curl --silent --fail --cookie $jar --cookie-jar $jar https://$name/console/sign-in)
token=$(sed -n '/name="csrf"/{s/.*name="csrf" value="\\([^"]*\\)".*/\\1/p;q}' <<< "$page")
curl --silent --fail --location --output /dev/null --cookie $jar --cookie-jar $jar --data-urlencode "csrf=$token" --data-urlencode "password@/dev/stdin" \\
  https://$name/console/sign-in < <(tr -d '\\n' < /etc/certmail/credentials/operator-password)
curl --silent --fail --location --cookie $jar https://$name/console
"""


def sign_in(machine: Machine) -> None:
    """What an application has to enqueue with: a key of its own, `enqueue CAMPAIGN WHO`."""
    machine.run("name=certmail.example.com google=http://127.0.0.1:8090" + _REMIND)
    machine.run("key=$(certmail-admin keys create judge --tenant acme | tail --lines=1)")


def kill_under_load(machine: Machine) -> None:
    """A worker is killed while reminders wait: the other goes on."""
    machine.run(
        f"for n in $(seq {SEVERAL}); do enqueue killed $n; done\nsystemctl kill --signal=KILL certmail-worker@2"
    )
    # What it had begun may have left: that is held for a person, and said.
    _each_once(machine, "killed", SEVERAL, {"accepted", "uncertain"})


@contextmanager
def load(machine: Machine) -> Iterator[None]:
    """For the time of the block one reminder after the other is enqueued; then each must be one mail."""
    machine.run(
        "(n=0; until [ -e /root/enough ]; do n=$((n + 1)); enqueue upgraded $n; echo $n > /root/enqueued; sleep 1; done) "
        "> /root/errors 2>&1 & enqueuing=$!"
    )
    yield
    machine.run("touch /root/enough; wait $enqueuing")
    _each_once(machine, "upgraded", int(machine.run("cat /root/enqueued")), {"accepted"})


def _each_once(machine: Machine, campaign: str, count: int, ends: set[str]) -> None:
    until = time.monotonic() + END_SECONDS
    while True:
        said = machine.run(
            f"certmail-admin deliveries list --campaign {campaign} --limit 1000 --json"
        )
        record = json.loads(said)["deliveries"]
        if len(record) == count and not {each["state"] for each in record} & UNFINISHED:
            break
        if time.monotonic() > until:
            raise Stumbled(f"{campaign}: {len(record)} of {count} on record: {record}")
        time.sleep(2)

    mails = _mails(machine, campaign)
    wrong = [each for each in record if each["state"] not in ends]
    lost = [
        each for each in record if each["state"] == "accepted" and each["recipient"] not in mails
    ]
    twice = {to for to in mails if mails.count(to) > 1}
    if wrong or lost or twice:
        raise Stumbled(f"{campaign}: {wrong or lost or f'sent twice: {twice}'}")


def exactly_once(machine: Machine, *people: str) -> None:
    """Each of these has one mail."""
    found = _mails(machine, "acme")
    if sorted(found) != sorted(people):
        raise Stumbled(f"Mails: {found}")


def console(machine: Machine) -> None:
    """The operator signs in through HTTPS, and sees the tenant."""
    if "ACME Industries" not in machine.run(_CONSOLE):
        raise Stumbled("The console does not show the tenant.")


def prometheus(machine: Machine) -> None:
    """It scrapes all three, has what was sent, and nobody is to be woken."""
    # What has just been restarted is scraped within a quarter of a minute.
    deadline = time.monotonic() + SCRAPED_SECONDS
    while len(up := _ask(machine, 'up{job="certmail"} == 1')) < 3 and time.monotonic() < deadline:
        time.sleep(1)

    sent = _ask(machine, 'sum(max_over_time(certmail_sends_total{outcome="accepted"}[1h])) > 30')
    firing = [each["metric"] for each in _ask(machine, 'ALERTS{alertstate="firing"}')]
    if len(up) != 3 or not sent or firing:
        raise Stumbled(f"Prometheus: {len(up)} processes, sends {sent}, alerts {firing}")


def _ask(machine: Machine, expression: str) -> list[dict[str, Any]]:
    said = machine.run(
        f"curl --silent --fail --get --data-urlencode 'query={expression}' http://127.0.0.1:9090/api/v1/query"
    )
    found: list[dict[str, Any]] = json.loads(said)["data"]["result"]
    return found


def _mails(machine: Machine, domain: str) -> list[str]:
    said = json.loads(machine.run("curl --silent --fail $google/_sandbox/messages"))
    return [
        each["to"]
        for each in said
        if each["to"].endswith(f"@{domain}.example") and each["to"] != each["mailbox"]
    ]
