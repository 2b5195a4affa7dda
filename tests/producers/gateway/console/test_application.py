"""The inviting application on the console's pages: its name and logo, as they are set."""

from __future__ import annotations

from pathlib import Path

import pytest

from certmail.gateway.console.application import MAX_BYTES, application_of
from certmail.gateway.console.rendering import environment_for
from certmail_config.base.errors import SettingsError
from certmail_config.settings import Settings

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def of(tmp_path: Path, content: bytes | None, name: str | None = None) -> Settings:
    logo = tmp_path / "logo"
    if content is not None:
        logo.write_bytes(content)
    return Settings(application_name=name, application_logo=logo)


def welcome(settings: Settings, *, back: str = "") -> str:
    page = environment_for("en", application=application_of(settings)).get_template("welcome.html")
    return page.render(
        language="en", form_token="", organisation="ACME", back=back, visitor=None, base=""
    )


def test_an_invitation_says_by_whom_and_where_one_returns_to(tmp_path: Path) -> None:
    page = welcome(of(tmp_path, PNG, 'Suite "A" & <b>'), back="app.example.com")
    assert "<strong>Suite &#34;A&#34; &amp; &lt;b&gt;</strong> invites you." in page
    assert "Afterwards you return to app.example.com." in page
    assert application_of(of(tmp_path, PNG)).logo is not None
    assert f'src="{application_of(of(tmp_path, PNG)).logo.url}"' in page  # type: ignore[union-attr]


def test_where_nothing_is_set_nobody_is_named() -> None:
    assert "invites you" not in welcome(Settings())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "no PNG, JPEG or WebP image"),
        (b"", "no PNG"),
        (PNG + b"\0" * MAX_BYTES, "larger than 256 KiB"),
    ],
)
def test_a_logo_that_cannot_be_shown_is_refused_by_name(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        application_of(of(tmp_path, content))
    assert "CERTMAIL_APPLICATION_LOGO" in refused.value.remedy


def test_a_name_is_one_line_and_not_long() -> None:
    for wrong in ("a\nb", "x" * 81, "a\u202eb"):
        with pytest.raises(SettingsError, match="CERTMAIL_APPLICATION_NAME"):
            Settings.from_env(application_name=wrong)
