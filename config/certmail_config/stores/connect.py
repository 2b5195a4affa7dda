"""Reaching Redis and SQL: one way in for every process, one sentence for each thing wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, RedisError
from redis.retry import Retry

from certmail_config.base.durability import Durability, prove, vouch
from certmail_config.base.errors import SettingsError, StoresUnreachable
from certmail_config.base.redis_errors import channels, refused
from certmail_config.crypto.vault import Vault
from certmail_config.settings import Settings
from certmail_config.settings.sentinel_urls import is_sentinel
from certmail_config.stores.bounded_writes import with_bounded_writes
from certmail_config.stores.embedded import embedded_server, socket_path, supervised
from certmail_config.stores.gathering import GatheringRedis
from certmail_config.stores.sentinels import sentinel_client, sentinel_pool
from certmail_config.stores.vault_file import key_file, locked, new_vault_key, read_keys, write_keys

MIN_REDIS: Final = (6, 2)
_HUNG_UP: Final = ("EOF occurred", "closed by server", "reset by peer", "Broken pipe")
"""What is seen of a server that does not take the client's certificate, or misses one."""
_OPTIONS: Final[dict[str, Any]] = {
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "health_check_interval": 15,
}


@contextmanager
def redis_server(
    settings: Settings, *, supervise: bool = False, proven: bool | None = None
) -> Iterator[str]:
    """Give the URL of a server that was seen to be usable, embedded or configured.

    With `supervise`, an embedded server that dies is started again. Processes that stay, which that
    is for, promise what CERTMAIL_DURABILITY says, and have it proven; whoever only looks or sets up
    may do so without (`proven`). Raises StoresUnreachable.
    """
    durability = Durability.parse(settings.durability)
    proven = supervise if proven is None else proven

    if settings.redis_url is not None:
        check_redis(settings.redis_url, durability if proven else None)
        if supervise and proven:
            _vouch(settings.redis_url, durability)
        yield settings.redis_url
    else:
        with embedded_server(settings.data_dir) as url:
            check_redis(url, durability if proven else None)
            with supervised(settings.data_dir) if supervise else nullcontext():
                yield url


def _vouch(url: str, durability: Durability) -> None:
    try:
        with connect(url) as redis:
            vouch(redis, durability)
    except RedisError as error:
        raise refused(error, where=f"Redis at {hide_password(url)}") or _unreachable(
            url, error
        ) from None


def redis_url_of(settings: Settings) -> str:
    """Where the server is, the embedded one included."""
    return settings.redis_url or f"unix://{quote(str(socket_path(settings.data_dir)))}"


def connect(url: str) -> Redis:
    """A synchronous client; its commands are retried, which every script of the ledger allows."""
    if is_sentinel(url):
        return sentinel_client(url, _OPTIONS)
    return Redis.from_url(url, **_OPTIONS)


def connect_briefly(url: str, seconds: float) -> Redis:
    """A synchronous client that waits so long at most, and tries once: for who only looks."""
    brief: dict[str, Any] = {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 0),
    }
    if is_sentinel(url):
        return sentinel_client(url, brief)
    return Redis.from_url(url, **brief)


def wrong_type(error: RedisError) -> bool:
    """Whether the server only says that a key holds something else than it should.

    That is the key's trouble, not the server's.
    """
    return str(error).startswith("WRONGTYPE")


def connect_async(url: str) -> AsyncRedis:
    """An asyncio client; as `connect`. It belongs to the loop that first uses it."""
    return AsyncRedis.from_pool(_pool(url))


def connect_gathering(url: str) -> GatheringRedis:
    """As `connect_async`, for many who ask at once: their commands share round trips."""
    client = GatheringRedis.from_pool(_pool(url))
    assert isinstance(client, GatheringRedis), "it makes one of its own class"
    return client


def _pool(url: str) -> BlockingConnectionPool:
    # Whoever finds no connection free waits for one rather than fail.
    options = _OPTIONS | {"max_connections": 64, "timeout": 30}
    if is_sentinel(url):
        return sentinel_pool(url, options)
    pool = BlockingConnectionPool.from_url(url, **options)
    pool.connection_class = with_bounded_writes(pool.connection_class)
    return pool


def check_redis(url: str, durability: Durability | None = None) -> tuple[str, str]:
    """Require that the server answers, is new enough, and keeps what it must, if asked.

    Gives its name and version.
    """
    shown = hide_password(url)

    try:
        with connect(url) as redis:
            info = redis.info("server")
    except RedisError as error:
        if known := refused(error, where=f"Redis at {shown}"):
            raise known from None

        raise _unreachable(url, error) from None
    except (ValueError, TypeError, OSError):
        # Their words are left out: they may repeat a password that was not written as a URL wants
        # it.
        raise SettingsError(
            "invalid_settings",
            "CERTMAIL_REDIS_URL cannot be used: it is not the URL of a Redis.",
            "Write redis://user:password@host:6379/0, say, with / ? # @ % in a password as %2F %3F %23 %40 %25.",
        ) from None

    version = str(info.get("valkey_version") or info["redis_version"])
    name = "Valkey" if info.get("valkey_version") else "Redis"

    # Valkey reports the Redis version that it is compatible with, too; that one is compared.
    if tuple(int(part) for part in str(info["redis_version"]).split(".")[:2]) < MIN_REDIS:
        raise StoresUnreachable(
            "redis_too_old",
            f"{name} {version} at {shown} is too old: certmail needs 6.2 or newer.",
            "Use a newer server.",
        )

    if durability is not None:
        with connect(url) as redis:
            prove(redis, durability)

    return name, version


def _unreachable(url: str, error: Exception) -> StoresUnreachable:
    remedy = "Start it, or check CERTMAIL_REDIS_URL."
    if url.startswith(("rediss://", "sentinels://")) and any(end in str(error) for end in _HUNG_UP):
        remedy += " It may want another certificate of its clients than it was shown: ssl_certfile=/path/to/it.pem&ssl_keyfile=/path/to/it.key."
    return StoresUnreachable(
        "redis_unreachable", f"Redis at {hide_password(url)} cannot be reached: {error}", remedy
    )


def check_channels(url: str) -> None:
    """Require that Celery may use its channels; raises StoresUnreachable.

    It would try again each second without end.
    """
    with connect(url) as redis:
        given = redis.connection_pool.connection_kwargs
        database, user = int(given.get("db") or 0), str(given.get("username") or "default")

        try:
            with redis.pubsub() as heard:
                for channel in channels(database):
                    heard.psubscribe(channel)
                    heard.get_message(timeout=5)
        except NoPermissionError as error:
            known = refused(
                error, where=f"Redis at {hide_password(url)}", database=database, user=user
            )
            assert known is not None, "it is a refusal"
            raise known from None


def hide_password(url: str) -> str:
    """The URL as it may be shown: without user, password and options."""
    scheme, mark, rest = url.partition("://")
    _, at, place = rest.partition("?")[0].rpartition("@")
    return f"{scheme}{mark}{'…@' if at else ''}{place}"


def database_url(settings: Settings) -> str:
    """The configured URL, or SQLite in the data directory."""
    if settings.database_url is not None:
        return settings.database_url
    make_data_dir(settings)
    # Written as SQLAlchemy would: a path may hold what means something in a URL.
    return f"sqlite:///{quote(str(settings.data_dir.absolute() / 'certmail.sqlite'))}"


def open_vault(settings: Settings, *, make: bool = False) -> Vault:
    """The vault over `vault_keys`; raises SettingsError.

    Where they are in a file, it learns of those that come later.
    """
    found = vault_keys(settings, make=make)
    again = None if settings.vault_keys else partial(read_keys, key_file(settings))
    return Vault(found, again=again)


def vault_keys(settings: Settings, *, make: bool = False) -> tuple[tuple[str, bytes], ...]:
    """The configured keys, or those kept in the data directory, newest first; empty if none.

    One is made there on first use if the database is there too, or if `make` says so (`certmail
    up`): workers on several machines, each with a key of its own, could not read what the others
    sealed.
    """
    if settings.vault_keys:
        return settings.vault_keys

    path, database = key_file(settings), settings.data_dir / "certmail.sqlite"
    if not path.exists() and not (make or settings.database_url is None):
        return ()

    make_data_dir(settings)

    with locked(path):
        if not path.exists():
            if settings.database_url is None and database.exists():
                raise SettingsError(
                    "vault_key_missing",
                    f"{path} is gone, but {database} holds values sealed with it.",
                    "Restore the file, or set CERTMAIL_VAULT_KEYS.",
                )
            write_keys(path, new_vault_key() + "\n")

    return read_keys(path)


def make_data_dir(settings: Settings) -> None:
    """Make the data directory, for its owner only; raises StoresUnreachable."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoresUnreachable(
            "data_dir_unusable",
            f"The data directory {settings.data_dir} cannot be used: {error.strerror}.",
            "Set CERTMAIL_DATA_DIR to a directory that you can write to.",
        ) from None
