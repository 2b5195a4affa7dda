"""Which variables of the environment are somebody else's."""

from __future__ import annotations

import pytest

from certmail_config.base.foreign_variables import LEFT, TAKEN_OUT, take_out, taken_out
from certmail_config.settings import PREFIX, Settings


@pytest.mark.parametrize(
    "name",
    [
        "CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_RESULT_BACKEND", "CELERY_CONFIG_MODULE",
        "CELERY_LOADER", "CELERY_WORKER_CONCURRENCY", "DJANGO_SETTINGS_MODULE", "FLOWER_UNAUTHENTICATED_API", "FLOWER_OAUTH2_KEY",
        "KOMBU_LOG_DEBUG", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGOPTIONS", "PGTARGETSESSIONATTRS",
        "PSYCOPG_IMPL", "PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir", "SSLKEYLOGFILE",
    ],
)  # fmt: skip
def test_what_would_lead_elsewhere_is_taken_out(name: str) -> None:
    assert taken_out([name]) == (name,)


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "TZ", "LANG", "NO_COLOR", "SSL_CERT_FILE", "SSL_CERT_DIR", "PGPASSFILE", "PGPASSWORD", "PGSSLROOTCERT",
        "PGSSLMODE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "REDIS_URL", "GOOGLE_APPLICATION_CREDENTIALS", "PYTHONPATH",
        "MY_CELERY_BROKER_URL", "PGHOSTING", *(PREFIX + name.upper() for name in Settings.model_fields),
    ],
)  # fmt: skip
def test_all_else_stays(name: str) -> None:
    environment = {name: "x"}
    take_out(environment)
    assert environment == {name: "x"}


def test_no_variable_is_both_left_and_taken_out() -> None:
    samples = [
        "PGPASSWORD",
        "PGSSLROOTCERT",
        "PGGSSENCMODE",
        "SSL_CERT_FILE",
        "ALL_PROXY",
        "AIOHTTP_NOSENDFILE",
    ]
    for name in samples:
        assert [each.shown for each in LEFT if each.fits(name)]
        assert not [each.shown for each in TAKEN_OUT if each.fits(name)]
