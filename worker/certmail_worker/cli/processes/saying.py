"""What `certmail up` says of its processes: sentences, or lines of JSON where those are asked for."""

from __future__ import annotations

import logging

from certmail_worker.cli.support import json_log
from certmail_worker.cli.support.output import err

log = logging.getLogger(__name__)


def say_or_log(event: str, sentence: str, **fields: object) -> None:
    """Say a sentence to a person; where this process writes JSON, an event that has it."""
    if json_log.is_kept():
        log.info(event, extra={"said": sentence, **fields})
    else:
        err.print(sentence, markup=False)
