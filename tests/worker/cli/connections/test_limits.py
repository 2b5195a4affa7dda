"""`certmail connections add` and `set`: limits, from the command line to their lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from inspect import signature
from typing import Any, get_args, get_type_hints

import pytest
from redis import Redis
from typer.models import OptionInfo

from certmail_config.base import redis_keys
from certmail_config.tenants.models import BOUNDS, GoogleLimits
from certmail_worker.cli import run_command
from certmail_worker.cli.connections import add as adding
from certmail_worker.cli.connections import set as setting
from certmail_worker.cli.connections.limits import in_words

Run = Callable[..., tuple[int, Any]]
ALL = {
    "--units-per-minute": 15000,
    "--in-flight": 2,
    "--per-day": 500,
    "--project-units-per-minute": 600_000,
    "--project-units-per-day": 40_000_000,
    "--warm-up-days": 7,
}
GIVEN = [word for name, value in ALL.items() for word in (name, str(value))]
MADE = GoogleLimits(15000, 2, 500, 600_000, 40_000_000, 7)


@pytest.fixture
def certmail(commands: Run) -> Run:
    """Commands, with the tenant `acme`."""
    assert commands("tenants", "add", "acme")[0] == 0
    return commands


def add(certmail: Run, *options: str) -> dict[str, Any]:
    status, made = certmail(
        "connections", "add", "acme", "--kind", "service_provider_app", *options
    )
    assert status == 0
    assert isinstance(made, dict)
    return made


def lane(redis: Redis, connection: str) -> dict[str, str]:
    found: Any = redis.hgetall(redis_keys.LANE_INFO + connection)
    return {name.decode(): value.decode() for name, value in found.items()}


class TestTheOptions:
    def options(self, command: Callable[..., None]) -> dict[str, OptionInfo]:
        hints = get_type_hints(command, include_extras=True)
        found = {name: hint for name, hint in hints.items() if name in BOUNDS}
        assert all(signature(command).parameters[name].default is None for name in found)
        return {name: get_args(hint)[1] for name, hint in found.items()}

    def test_add_and_set_have_the_same(self) -> None:
        assert self.options(adding.add) == self.options(setting.set_)

    def test_there_is_one_for_every_limit_with_its_bounds_and_default(self) -> None:
        options = self.options(setting.set_)
        assert list(options) == [field.name for field in fields(GoogleLimits)]
        assert ["--" + name.replace("_", "-") for name in options] == list(ALL)
        for name, option in options.items():
            assert (option.min, option.max) == BOUNDS[name]
            assert f"Of a new connection: {getattr(GoogleLimits(), name)}." in str(option.help)


class TestAdd:
    def test_without_any_limit_googles_are_taken(self, certmail: Run) -> None:
        assert add(certmail)["limits"] == asdict(GoogleLimits())

    @pytest.mark.parametrize("customer_owned", [False, True])
    def test_those_given_are_kept(self, certmail: Run, redis: Redis, customer_owned: bool) -> None:
        account = [
            "--service-account",
            "sa@acme-it.iam.gserviceaccount.com",
            "--mailbox",
            "r@acme.example",
        ]

        kind = ["--kind", "customer_owned_app", *account] if customer_owned else []
        made = add(certmail, *kind, *GIVEN)
        assert made["limits"] == asdict(MADE)
        info = lane(redis, made["id"])
        assert {name: int(info[name]) for name in asdict(MADE)} == asdict(MADE)

    def test_one_out_of_bounds_is_exit_2_and_nothing_is_set_up(self, certmail: Run) -> None:
        status, output = certmail(
            "connections", "add", "acme", "--kind", "service_provider_app", "--warm-up-days", "61"
        )
        assert (status, output["error"]["code"]) == (2, "wrong_use")
        assert certmail("connections", "show", "acme/default")[1]["state"] == "draft"


class TestSet:
    @pytest.mark.parametrize(("name", "value"), ALL.items())
    def test_only_the_limit_given_is_changed(
        self, certmail: Run, redis: Redis, name: str, value: int
    ) -> None:
        made = add(certmail)
        before = lane(redis, made["id"])
        limit = name.removeprefix("--").replace("-", "_")
        status, changed = certmail("connections", "set", "acme/default", name, str(value))
        assert status == 0
        assert changed == made | {"limits": asdict(GoogleLimits()) | {limit: value}}
        assert lane(redis, made["id"]) == before | {limit: str(value)}, "at once, and nothing else"

        now = {"waits": None}
        assert certmail("connections", "list")[1]["connections"] == [changed | now]
        assert certmail("connections", "show", made["id"])[1] == changed | now | {
            "in_flight_now": None
        }

    def test_several_at_once_and_one_after_the_other(self, certmail: Run) -> None:
        made = add(certmail, *GIVEN)
        certmail("connections", "set", made["id"], "--per-day", "1", "--in-flight", "1")
        _, changed = certmail("connections", "set", made["id"], "--warm-up-days", "0")
        assert changed["limits"] == asdict(MADE) | {"per_day": 1, "in_flight": 1, "warm_up_days": 0}

    def test_none_given_is_wrong_use(self, certmail: Run) -> None:
        made = add(certmail)
        status, output = certmail("connections", "set", made["id"])
        assert (status, output["error"]["code"]) == (2, "missing_option")
        assert output["error"]["remedy"]

    @pytest.mark.parametrize("name", ALL)
    @pytest.mark.parametrize("value", ["-1", "2000000001", "many", "1.5"])
    def test_one_out_of_bounds_is_exit_2(self, certmail: Run, name: str, value: str) -> None:
        status, output = certmail("connections", "set", "acme/default", name, value)
        assert (status, output["error"]["code"]) == (2, "wrong_use")
        assert name in output["error"]["message"]

    def test_an_unknown_connection_is_exit_1(self, certmail: Run) -> None:
        status, output = certmail("connections", "set", "acme/nope", "--per-day", "500")
        assert (status, output["error"]["code"]) == (1, "unknown_connection")
        output = certmail("connections", "show", "acme")[1]
        assert "acme/default, say" in output["error"]["remedy"], "whoever names a tenant only"

    def test_a_person_sees_the_connection_with_all_its_limits(
        self, certmail: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        add(certmail, *GIVEN)
        for command in (["set", "acme/default", "--per-day", "501"], ["show", "acme/default"]):
            assert run_command(["connections", *command]) == 0
            shown = " ".join(capsys.readouterr().out.split())
            assert "acme" in shown
            for value in (15000, 2, 501, 600_000, 40_000_000, 7):
                assert f" {value} " in shown


def test_in_words_a_mailbox_that_is_not_warming_up_has_no_word_of_it() -> None:
    assert "warming" not in in_words(GoogleLimits())
    assert "7 days of warming up" in in_words(GoogleLimits(warm_up_days=7))
