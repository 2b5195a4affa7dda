"""A pytest plugin: kombu speaks over certmail's transport, as KOMBU_OVER says.

`kombu` is one message at a time, `batches` many of certmail's queue, `every` many of every queue:
kombu's tests use none of certmail's.
"""

from __future__ import annotations

import os

from certmail_worker.runtime.transport import batches
from certmail_worker.runtime.transport.transport import use


class _Every(str):
    """The name of whatever queue it is compared with."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


over = os.environ["KOMBU_OVER"]
if over == "every":
    vars(batches)["QUEUE"] = _Every("every")
use(batches=over != "kombu")
