"""The record to write into: a database with all its tables, of each kind in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from certmail_config.sql.engine import open_database


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    made = open_database(ready_database)
    yield made
    made.dispose()
