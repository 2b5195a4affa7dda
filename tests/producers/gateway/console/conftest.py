"""The console in the test's own process, over a real server and either database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from redis import Redis

from certmail.gateway.console.sessions.sessions import Sessions
from certmail_config.admin.admin import Admin
from certmail_config.operators.operator import Operator
from certmail_config.operators.roles import OperatorRole
from certmail_config.settings import Settings
from certmail_config.sql.operators.rows import add_operator, list_operators
from certmail_worker.recording.rows import Event
from certmail_worker.recording.writer import read_cursor, write
from support.deployment.console_browser import Browser, SignIn

PASSWORD = "correct horse battery staple"


@pytest.fixture
def settings(redis: Redis, redis_url: str, ready_database: str, data_dir: Path) -> Settings:
    return Settings(
        data_dir=data_dir,
        redis_url=redis_url,
        database_url=ready_database,
        operator_password=PASSWORD,
    )


def viewer_of(admin: Admin) -> str:
    """The account of a viewer, who sees no addresses; nobody signs in as them by a password."""
    person = Operator("vera", "vera", OperatorRole.VIEWER, datetime.now(UTC), "$argon2id$none")
    with admin.db() as db:
        if person.id not in {each.id for each in list_operators(db, admin.vault)}:
            add_operator(db, person, admin.vault)
    return person.id


@pytest.fixture
async def sign_in(admin: Admin, served: str) -> AsyncIterator[SignIn]:
    """Let an operator in, who may be one that sees no addresses."""
    async with aiohttp.ClientSession() as session:

        def begin(*, sees_addresses: bool = True) -> Browser:
            sessions = Sessions(admin.strongbox)
            if sees_addresses:
                visitor = sessions.begin_as_operator(PASSWORD)
            else:
                visitor = sessions.begin_as_account(viewer_of(admin), 1)
            return Browser(session, served, visitor.secret)

        yield begin


@pytest.fixture
async def browser(sign_in: SignIn) -> Browser:
    return await asyncio.to_thread(sign_in)


@pytest.fixture
def record(admin: Admin) -> Callable[[Iterable[Event]], None]:
    """Put events on record, as the recorder does."""

    def put(events: Iterable[Event]) -> None:
        write(admin.engine, read_cursor(admin.engine), list(events))

    return put
