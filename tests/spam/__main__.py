"""`make spam`: every mail scored by SpamAssassin's local rules.

That is each kind of mail in each language and state, and in a tenant's own look and words. With
`--all` also as oddly as upstream may fill it, which takes three times as long; with `--few` each
kind in each language and look only.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from spam.letters import KINDS, TEST_MAIL, locales, samples
from spam.scores import available, score

LIMIT = 0.2
"""The highest score that passes; a mail that is filtered away reminds nobody.

SpamAssassin filters from 5 on, stricter filters from much less.
"""


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")


ODD = "--all"
FEW = "--few"


def main(arguments: list[str]) -> int:
    """Score and show; gives the exit status."""
    if not available():
        sys.stderr.write(
            "The spam judge needs SpamAssassin: on Debian, apt-get install spamassassin.\n"
        )
        return 1

    mails = list(samples(odd=ODD in arguments, few=FEW in arguments))
    scored = score(mail.raw for mail in mails)
    if len(scored) != len(mails):
        sys.stderr.write(f"Of {len(mails)} mails SpamAssassin answered {len(scored)}.\n")
        return 1

    worst: defaultdict[tuple[str, str], float] = defaultdict(lambda: float("-inf"))
    met: dict[str, float] = {}

    for mail in mails:
        rules = scored[mail.job]
        total = round(sum(rules.values()), 3)
        worst[mail.locale, mail.kind] = max(worst[mail.locale, mail.kind], total)
        met |= rules
        if total >= LIMIT:
            named = ", ".join(f"{rule} {points}" for rule, points in rules.items() if points > 0)
            say(f"{mail.locale} {mail.kind}, {mail.state}: {total} ({named})")

    say(f"{'':8}" + "".join(f"{kind:>12}" for kind in KINDS))
    for locale in locales():
        say(f"{locale:8}" + "".join(f"{worst[locale, kind]:12.3f}" for kind in KINDS))
    say(f"{TEST_MAIL}: {worst['en', TEST_MAIL]:.3f}")
    say("rules met: " + ", ".join(f"{rule} {points}" for rule, points in sorted(met.items())))
    highest = max(worst.values())
    say(f"{len(mails)} mails; the highest score is {highest:.3f}, and below {LIMIT} is asked for.")

    return int(highest >= LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
