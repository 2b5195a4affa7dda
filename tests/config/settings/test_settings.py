"""Settings: defaults, what each of them refuses, and what a refusal may say."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from certmail_config.base.errors import SettingsError, WrongUse
from certmail_config.settings import (
    FROM_FILES,
    PREFIX,
    SETTLE_SECONDS,
    Settings,
    default_data_dir,
    file_variable,
    parse_vault_key,
    unknown_names,
)

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(32, 64))).decode()


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def refusal() -> str:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env()
    assert raised.value.code == "invalid_settings"
    assert raised.value.remedy
    assert raised.value.__cause__ is None
    unseen = raised.value.__suppress_context__ or raised.value.__context__ is None
    assert unseen, "pydantic's own error repeats what was set"
    return raised.value.message


class TestDefaults:
    def test_with_nothing_set_certmail_works_on_one_machine_with_the_real_google(self) -> None:
        settings = Settings.from_env()
        assert (settings.redis_url, settings.database_url, settings.vault_keys) == (None, None, ())
        assert settings.google_token_url == "https://oauth2.googleapis.com/token"
        assert settings.gmail_url == "https://gmail.googleapis.com"
        assert settings.google_x509_url.endswith("/service_accounts/v1/metadata/x509/")

    def test_the_lease_is_the_window_the_time_out_and_fifteen_seconds(self) -> None:
        settings = Settings.from_env()
        assert (settings.lease_seconds, settings.http_timeout_seconds, settings.send_window_seconds) == (
            45, 25, 5,
        )  # fmt: skip

    def test_a_finished_key_is_kept_for_ninety_days_and_a_5xx_is_sent_once_more(self) -> None:
        settings = Settings.from_env()
        assert (settings.dedupe_days, settings.uncertain_5xx) == (90, "resend:900")

    def test_each_project_is_this_deployments_alone(self) -> None:
        assert Settings.from_env().project_share == 1

    def test_data_lives_in_the_users_data_directory(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("XDG_DATA_HOME", "/somewhere")
        assert default_data_dir() == Path("/somewhere/certmail")
        env.delenv("XDG_DATA_HOME")
        env.setenv("HOME", "/home/ann")
        assert Settings.from_env().data_dir == Path("/home/ann/.local/share/certmail")

    def test_settings_cannot_be_changed_once_they_are_made(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(Settings.from_env(), "concurrency", 1)  # noqa: B010 - mypy knows that it is read-only


class TestTheEnvironment:
    def test_what_is_set_is_taken(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_REDIS_URL", "redis://redis:6379/0")
        env.setenv("CERTMAIL_CONCURRENCY", "17")
        env.setenv("CERTMAIL_UNCERTAIN_5XX", "hold")
        settings = Settings.from_env()
        assert (settings.redis_url, settings.concurrency, settings.uncertain_5xx) == (
            "redis://redis:6379/0", 17, "hold",
        )  # fmt: skip

    @pytest.mark.parametrize("blank", ["", " ", "\n"])
    def test_a_blank_variable_is_as_good_as_none(self, env: pytest.MonkeyPatch, blank: str) -> None:
        for name in Settings.model_fields:
            env.setenv(PREFIX + name.upper(), blank)
        assert Settings.from_env() == Settings()
        assert Settings.from_env().redis_url is None

    def test_an_unknown_variable_is_nobodys_business(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_OF_THE_FUTURE", "x")
        env.setenv("REDIS_URL", "redis://elsewhere")
        assert Settings.from_env().redis_url is None
        assert unknown_names() == ("CERTMAIL_OF_THE_FUTURE",)

    def test_one_that_is_like_a_setting_is_refused_with_what_is_meant(
        self, env: pytest.MonkeyPatch
    ) -> None:
        env.setenv("CERTMAIL_REDIS_ULR", "redis://hunter2")
        env.setenv("CERTMAIL_VAULT_KEY", "hunter2")
        message = refusal()
        assert "CERTMAIL_REDIS_ULR is unknown: did you mean CERTMAIL_REDIS_URL?" in message
        assert "did you mean CERTMAIL_VAULT_KEYS?" in message
        assert "hunter2" not in message

    def test_an_argument_is_stronger_than_the_environment(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_CONCURRENCY", "17")
        assert Settings.from_env(concurrency=3).concurrency == 3


class TestSecretsFromFiles:
    @pytest.fixture
    def secret(self, env: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        path = tmp_path / "secret"
        env.setenv("CERTMAIL_REDIS_URL_FILE", str(path))
        return path

    @pytest.mark.parametrize("name", FROM_FILES)
    def test_a_file_may_hold_the_setting_with_blanks_around_it(
        self, env: pytest.MonkeyPatch, tmp_path: Path, name: str
    ) -> None:
        values = {"redis_url": "redis://redis/0", "vault_keys": f"k1:{KEY}", "google_proxy": "http://proxy:3128"}  # fmt: skip
        value = values.get(name, "sqlite:////x" if name == "database_url" else "user:a password that is long")  # fmt: skip
        env.setenv(PREFIX + name.upper(), value)
        by_itself = Settings.from_env()

        env.delenv(PREFIX + name.upper())
        (tmp_path / name).write_text(f"\n{value}\n", "utf-8")
        env.setenv(file_variable(name), str(tmp_path / name))
        assert Settings.from_env() == by_itself != Settings()

    def test_vault_keys_may_have_lines_of_their_own(
        self, env: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "keys").write_text(f"k2:{OTHER}\nk1:{KEY}\n", "utf-8")
        env.setenv("CERTMAIL_VAULT_KEYS_FILE", str(tmp_path / "keys"))
        assert [key_id for key_id, _ in Settings.from_env().vault_keys] == ["k2", "k1"]

    def test_the_mark_that_editors_of_windows_put_before_text_is_none_of_it(
        self, secret: Path
    ) -> None:
        secret.write_bytes(b"\xef\xbb\xbfredis://redis/0\r\n")
        assert Settings.from_env().redis_url == Settings(redis_url="redis://redis/0").redis_url

    def test_both_are_one_too_many(self, env: pytest.MonkeyPatch, secret: Path) -> None:
        secret.write_text("redis://hunter2", "utf-8")
        env.setenv("CERTMAIL_REDIS_URL", "redis://hunter2")
        assert refusal() == "CERTMAIL_REDIS_URL and CERTMAIL_REDIS_URL_FILE are both set."

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (None, "cannot be read: No such file or directory"),
            (b" \n", "is empty"),
            (b"hunter2" * 10_000, "is too large"),
            (b"redis://hunter2\xff", "is not text"),
            (b"redis://hunter2\nredis://two", "has more than one line"),
            (b"redis://hunter2\x00", "holds a character that cannot be typed"),
            (b"redis://hunter\x1b[2m", "holds a character that cannot be typed"),
        ],
    )
    def test_one_that_gives_nothing_is_refused(
        self, secret: Path, content: bytes | None, fault: str
    ) -> None:
        if content is not None:
            secret.write_bytes(content)
        assert refusal() == f"CERTMAIL_REDIS_URL_FILE: {secret} {fault}."

    def test_what_is_wrong_in_it_is_not_repeated(self, secret: Path) -> None:
        secret.write_text("hunter2", "utf-8")
        message = refusal()
        assert message.startswith("CERTMAIL_REDIS_URL: ")
        assert "hunter2" not in message

    def test_a_misspelt_one_is_refused(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_VAULT_KEY_FILE", "/x")
        assert "did you mean CERTMAIL_VAULT_KEYS_FILE?" in refusal()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONCURRENCY", "many"), ("CONCURRENCY", "0"), ("CONCURRENCY", "5001"), ("CONCURRENCY", "1.5"),
        ("LEASE_SECONDS", "soon"), ("LEASE_SECONDS", "-1"), ("LEASE_SECONDS", "inf"), ("LEASE_SECONDS", "nan"),
        ("HTTP_TIMEOUT_SECONDS", "0"), ("SEND_WINDOW_SECONDS", "0"), ("DEDUPE_DAYS", "0"), ("DEDUPE_DAYS", "x"),
        ("UNCERTAIN_5XX", "resend"), ("UNCERTAIN_5XX", "resend:0"), ("UNCERTAIN_5XX", "resend:-5"),
        ("UNCERTAIN_5XX", "resend:900s"), ("UNCERTAIN_5XX", "HOLD"), ("LOG_FORMAT", "xml"),
        ("GMAIL_URL", "gmail.googleapis.com"), ("GOOGLE_TOKEN_URL", "ftp://x"), ("GOOGLE_X509_URL", "file:///x"),
        ("VAULT_KEYS", "k1"), ("PUBLIC_URL", "iga.example"), ("GOOGLE_AUTH_URL", "x"),
        ("GOOGLE_REVOKE_URL", "x"), ("GOOGLE_USERINFO_URL", "x"),
        ("LISTEN", "8080"), ("LISTEN", "127.0.0.1:abc"), ("FLOWER_LISTEN", "127.0.0.1:99999"), ("SANDBOX_LISTEN", "::1:80"),
        ("PUBLIC_URL", "https://iga.example/certmail"), ("PUBLIC_URL", "https://"), ("GMAIL_URL", "https://gmail:x"),
        ("REDIS_URL", "redis://host/abc"), ("REDIS_URL", "rediss://host?ssl_cert_req=none"), ("REDIS_URL", "nonsense"),
        ("REDIS_URL", "rediss://host?ssl_ca_certs=/nowhere/ca.pem"), ("DATABASE_URL", "sqlite://"), ("DATABASE_URL", "sqlite:///x.sqlite"),
        ("GOOGLE_CA_FILE", "/nowhere/ca.pem"), ("GOOGLE_CA_FILE", "/etc/hostname"), ("DATA_DIR", "~nobody-of-that-name/certmail"),
        ("LEASE_SECONDS", "45s"), ("HTTP_TIMEOUT_SECONDS", "inf"), ("REDIS_MEMORY_MAX", "2 GB"), ("DEDUPE_DAYS", "1.5"), ("EVENTS_MAX", "3"),
        ("PROJECT_SHARE", "0"), ("PROJECT_SHARE", "1.01"), ("PROJECT_SHARE", "nan"), ("PROJECT_SHARE", "50%"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    env: pytest.MonkeyPatch, name: str, value: str
) -> None:
    env.setenv(PREFIX + name, value)
    assert refusal().startswith(f"CERTMAIL_{name}: ")


def test_two_wrong_variables_are_both_named(env: pytest.MonkeyPatch) -> None:
    env.setenv("CERTMAIL_CONCURRENCY", "many")
    env.setenv("CERTMAIL_LOG_FORMAT", "xml")
    assert {clause.partition(":")[0] for clause in refusal().split("; ")} == {
        "CERTMAIL_CONCURRENCY",
        "CERTMAIL_LOG_FORMAT",
    }


def test_settings_that_cannot_be_used_are_wrong_use_and_so_exit_status_two(
    env: pytest.MonkeyPatch,
) -> None:
    env.setenv("CERTMAIL_CONCURRENCY", "many")
    with pytest.raises(WrongUse):
        Settings.from_env()


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_no_refusal_repeats_what_was_set(env: pytest.MonkeyPatch, name: str) -> None:
    env.setenv(PREFIX + name, "hunter2")
    env.setenv("CERTMAIL_CONCURRENCY", "none of hunter2")
    assert "hunter2" not in refusal()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LEASE_SECONDS", "45s", "must be a number, without a unit"), ("CONCURRENCY", "many", "must be a whole number, without a unit"),
        ("CONCURRENCY", "0", "must be 1 at least"), ("CONCURRENCY", "5001", "must be 5000 at most"),
        ("SEND_WINDOW_SECONDS", "0", "must be more than 0"), ("LOG_FORMAT", "xml", "must be 'json' or 'console'"),
        ("DURABILITY", "always", "must be fsync, replicas:N, declared or none"), ("OPERATOR_PASSWORD", "short", "must have 12 characters at least"),
    ],
)  # fmt: skip
def test_a_refusal_is_in_words_for_whoever_set_it(
    env: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    env.setenv(PREFIX + name, value)
    assert refusal() == f"CERTMAIL_{name}: {says}"


class TestPaths:
    def test_they_are_whole_from_the_start(self, env: pytest.MonkeyPatch, tmp_path: Path) -> None:
        env.chdir(tmp_path)
        env.setenv("HOME", "/home/ann")
        for written, whole in (
            ("rel", tmp_path / "rel"),
            ("./rel/", tmp_path / "rel"),
            ("~/cm", Path("/home/ann/cm")),
        ):
            env.setenv("CERTMAIL_DATA_DIR", written)
            assert Settings.from_env().data_dir == whole


class TestTheCallback:
    def test_it_is_below_the_public_address_or_else_where_the_gateway_listens(
        self, env: pytest.MonkeyPatch
    ) -> None:
        assert Settings.from_env().callback_url == "http://127.0.0.1:8080/oauth/google/callback"
        env.setenv("CERTMAIL_LISTEN", "0.0.0.0:8080")
        assert Settings.from_env().callback_url == "http://127.0.0.1:8080/oauth/google/callback"
        env.setenv("CERTMAIL_PUBLIC_URL", "https://certmail.example/")
        assert Settings.from_env().callback_url == "https://certmail.example/oauth/google/callback"

    def test_the_clients_secret_is_not_shown_where_settings_are(
        self, env: pytest.MonkeyPatch
    ) -> None:
        env.setenv("CERTMAIL_OAUTH_CLIENT_SECRET", "hunter2")
        settings = Settings.from_env()
        assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()}"
        assert settings.oauth_client_secret is not None
        assert settings.oauth_client_secret.get_secret_value() == "hunter2"


class TestTheLease:
    def test_it_must_cover_the_send_window_the_time_out_and_settling(
        self, env: pytest.MonkeyPatch
    ) -> None:
        env.setenv("CERTMAIL_LEASE_SECONDS", "32")
        message = refusal()
        assert "CERTMAIL_LEASE_SECONDS=32 is too short" in message
        assert "Set at least 33" in message

    def test_just_enough_is_enough(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_LEASE_SECONDS", str(5 + 25 + SETTLE_SECONDS))
        assert Settings.from_env().lease_seconds == 33

    def test_a_longer_time_out_needs_a_longer_lease(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_HTTP_TIMEOUT_SECONDS", "60")
        assert "Set at least 68, or shorten the other two" in refusal()
        env.setenv("CERTMAIL_LEASE_SECONDS", "68")
        assert Settings.from_env().http_timeout_seconds == 60


class TestVaultKeys:
    def test_one_key_is_read(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_VAULT_KEYS", f"k1:{KEY}")
        assert Settings.from_env().vault_keys == (("k1", bytes(range(32))),)

    def test_several_keep_their_order_the_newest_first(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_VAULT_KEYS", f" new:{KEY} , old:{OTHER}\n")
        assert [key_id for key_id, _ in Settings.from_env().vault_keys] == ["new", "old"]

    @pytest.mark.parametrize(
        "text",
        [
            "k1",
            f":{KEY}",
            KEY,
            "k1:",
            f"k1:{KEY[:-4]}",
            f"k1:{KEY}{KEY}",
            f"k1:{KEY[:-1]}",
            f"k1:{KEY[:10]} {KEY[10:]}",
            f"k1:!{KEY[1:]}",
            f"k1:ü{KEY[1:]}",
            f"ключ:{KEY}",
            f"{'k' * 33}:{KEY}",
            f"k1:{KEY},",
            f"k1:{KEY};k2:{OTHER}",
            f"k1:{KEY},k2:{OTHER[:8]}",
            *(f"k1:{base64.b64encode(bytes(length)).decode()}" for length in (16, 31, 33, 64)),
        ],
    )
    def test_a_malformed_key_is_refused_and_not_a_letter_of_it_repeated(
        self, env: pytest.MonkeyPatch, text: str
    ) -> None:
        env.setenv("CERTMAIL_VAULT_KEYS", text)
        message = refusal()
        assert message.startswith("CERTMAIL_VAULT_KEYS: ")
        assert "certmail vault keygen" in message
        assert KEY[:8] not in message
        assert OTHER[:8] not in message

    def test_keys_are_not_shown_where_settings_are(self, env: pytest.MonkeyPatch) -> None:
        env.setenv("CERTMAIL_VAULT_KEYS", f"k1:{KEY}")
        settings = Settings.from_env()
        assert "vault_keys" not in repr(settings)
        assert repr(bytes(range(32))) not in f"{settings!r} {settings}"

    @settings(deadline=None)
    @given(st.text("kK0-_.", min_size=1, max_size=32), st.binary(min_size=32, max_size=32))
    def test_any_key_of_32_bytes_survives_being_written_down(self, key_id: str, key: bytes) -> None:
        assert parse_vault_key(f"{key_id}:{base64.b64encode(key).decode()}") == (key_id, key)

    @settings(deadline=None)
    @given(st.text())
    def test_any_other_text_is_one_kind_of_error(self, text: str) -> None:
        with pytest.raises(ValueError, match="each key must be"):
            parse_vault_key(text)
