"""What must be true of an installation on which the page was followed.

Asked as its operator can: by certmail's commands, through HTTPS, of Prometheus.
"""

from __future__ import annotations

import json
from typing import Any, Final

from walk.machine import Machine, Stumbled

PASSES: Final = 30
"""How many reminders are under way while something happens; the mailbox lets one go a second."""
_ENQUEUE: Final = """
for n in $(seq {first} {last}); do
  curl --silent --show-error --fail-with-body --retry 30 --retry-all-errors --retry-delay 1 --output /dev/null \\
    --header "Authorization: Bearer $key" --json '{{"tenant": "acme", "to": "'$n@{campaign}.example'", "campaign": "{campaign}", "pending": 1}}' https://$name/v1/reminders
done
"""
_CONSOLE: Final = """
jar=$(mktemp)
page=$(curl --silent --fail --cookie $jar --cookie-jar $jar https://$name/console/sign-in)
token=$(echo "$page" | sed -n 's/.*name="csrf" value="\\([^"]*\\)".*/\\1/p' | head -n 1)
curl --silent --fail --location --output /dev/null --cookie $jar --cookie-jar $jar --data-urlencode "csrf=$token" --data-urlencode "password@/dev/stdin" \\
  https://$name/console/sign-in < <(tr -d '\\n' < /etc/certmail/credentials/operator-password)
curl --silent --fail --location --cookie $jar https://$name/console
"""


def enqueue(campaign: str) -> str:
    """Commands that enqueue as many as are under way at once, each until it is taken in."""
    return _ENQUEUE.format(campaign=campaign, first=1, last=PASSES)


def wait_for_the_end(machine: Machine, campaign: str) -> None:
    """Wait until all of a campaign have ended, and hold mailboxes against the record."""
    machine.run(f"""
for n in $(seq 180); do
  certmail-admin deliveries list --campaign {campaign} --json > /root/record.json
  grep -q -E '"state": "(ready|scheduled|dispatched|sending)"' /root/record.json || break
  sleep 1
done
""")
    record = json.loads(machine.run("cat /root/record.json"))["deliveries"]
    mails = _mails(machine, campaign)
    states = sorted({each["state"] for each in record})

    if len(record) != PASSES:
        raise Stumbled(f"{campaign}: {len(record)} of {PASSES} are on record")
    if twice := {to for to in mails if mails.count(to) > 1}:
        raise Stumbled(f"{campaign}: sent twice: {twice}")
    for each in record:
        # What a worker had begun when it was killed may have left: that is held, and said.
        if each["state"] not in {"accepted", "uncertain"} or (
            each["state"] == "accepted" and each["recipient"] not in mails
        ):
            raise Stumbled(f"{campaign}: {each}")
    if "uncertain" in states and campaign != "killed":
        raise Stumbled(f"{campaign}: {states}")


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
    up = _ask(machine, 'up{job="certmail"} == 1')
    sent = _ask(machine, 'sum(certmail_sends_total{outcome="accepted"}) > 0')
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
