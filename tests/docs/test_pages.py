"""The README and docs/ are short, and true where a program can tell.

Links, commands, settings, addresses, targets and examples.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from redis import Redis
from typer._click import Context
from typer.main import get_command

from certmail.gateway.api.routes import ROUTES
from certmail_config.admin.admin import open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.settings import FROM_FILES, PREFIX, Settings, file_variable
from certmail_config.tenants.api_keys import KeyScope
from certmail_worker.cli.support.running import app
from support.data.pages import GENERATED, ROOT, Page, page, pages
from support.servers.gateway import gateway_of

README = page("README.md")
BY_HAND = [each for each in pages() if each.name not in GENERATED | {"CHANGELOG.md"}]
MANUALS = [each for each in BY_HAND if each.name.startswith("docs/")]
BACKGROUND = """
from certmail import Mailer, Reminder
from datetime import datetime, UTC
ids, news = [], []
start, due = datetime(2036, 11, 3, 8, tzinfo=UTC), datetime(2036, 12, 12, 16, tzinfo=UTC)
reviewers = [{"id": "r7", "to": "bob@acme.com", "pending": 1}]
reminders = [Reminder(tenant="acme", to="bob@acme.com", campaign="q4", pending=1)]
"""


def names(these: list[Page]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("each", these, ids=[each.name for each in these])


class TestLinks:
    @names(pages())
    def test_lead_to_a_file_and_a_heading_that_there_are(self, each: Page) -> None:
        broken = []

        for link in each.links:
            if link.startswith("https://"):
                continue
            path, _, anchor = link.partition("#")
            target = ((ROOT / each.name).parent / path).resolve() if path else ROOT / each.name
            there = target.is_relative_to(ROOT) and target.exists()
            if not there or (
                anchor and anchor not in Page(link, target.read_text("utf-8")).anchors
            ):
                broken.append(link)

        assert broken == []

    def test_the_index_has_every_page(self) -> None:
        there = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
        assert set(page("docs/README.md").links) == there

    def test_what_the_program_names_is_there(self) -> None:
        named = set()
        for root in ("config", "producers", "worker", "deploy"):
            for path in (ROOT / root).rglob("*.py"):
                named |= set(re.findall(r"(?<![\w./])docs/[\w-]+\.md", path.read_text("utf-8")))
        assert named >= {"docs/settings.md", "docs/restoring.md"}
        assert [name for name in sorted(named) if not (ROOT / name).exists()] == []

    def test_pictures_are_small(self) -> None:
        pictures = list((ROOT / "docs" / "pictures").glob("*.png"))
        assert len(pictures) == 2
        assert all(path.stat().st_size < 150_000 for path in pictures)
        assert {f"docs/pictures/{path.name}" for path in pictures} <= set(README.links)


class TestLength:
    def test_the_readme_has_two_screens(self) -> None:
        assert len(README.text.splitlines()) <= 130
        assert median(len(paragraph.split()) for paragraph in README.paragraphs) < 25

    @names(BY_HAND)
    def test_a_paragraph_is_three_sentences_of_twenty_words(self, each: Page) -> None:
        assert [text for text in each.paragraphs if len(text.split()) > 60] == []


class TestWhatIsNamed:
    @names(BY_HAND)
    def test_commands_take_these_words(self, each: Page) -> None:
        for words in each.command_lines():
            parse(words)

    def test_they_are_found(self) -> None:
        assert sum(1 for each in BY_HAND for _ in each.command_lines()) > 80

    @names(BY_HAND)
    def test_settings_exist(self, each: Page) -> None:
        there = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
        there |= {file_variable(name) for name in FROM_FILES}
        assert set(re.findall(rf"\b{PREFIX}[A-Z_0-9]*[A-Z0-9]\b", each.text)) <= there

    @names(BY_HAND)
    def test_addresses_of_the_api_exist(self, each: Page) -> None:
        assert set(re.findall(r"/v1/[a-z/:{}-]*[a-z}]", each.text)) <= {
            route.path for route in ROUTES
        }

    @names(BY_HAND)
    def test_targets_of_make_exist(self, each: Page) -> None:
        targets = set(
            re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        )
        assert set(re.findall(r"(?:`|^|  )make ([a-z]+)\b", each.text, re.MULTILINE)) <= targets | {
            "alone"
        }

    def test_the_page_for_whoever_works_on_it_has_every_target(self) -> None:
        makefile = (ROOT / "Makefile").read_text("utf-8")
        targets = set(re.findall(r"^([a-z]+):.* ## ", makefile, re.MULTILINE)) - {"help"}
        assert targets <= set(re.findall(r"`make ([a-z]+)", page("docs/developing.md").text))


def parse(words: list[str]) -> None:
    """Read a command line as the program does, and run nothing.

    What the program does not understand ends the test.
    """
    command: Any = get_command(app)
    context = Context(command, info_name="certmail")
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, words)
        assert command is not None, name
    if words:  # else it is only mentioned
        command.make_context(name, list(words), parent=context)


EXAMPLES = [(each.name, example) for each in BY_HAND for example in each.fences("python")]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_examples_in_python_do_what_they_say(
    redis: Redis, redis_url: str, tmp_path: Path, name: str, example: str
) -> None:
    with open_admin(Settings(data_dir=tmp_path, redis_url=redis_url)) as admin:
        admin.add_tenant("acme")
        _, key = create_key(admin, "docs", tenants=["acme"], scopes=list(KeyScope))
        clean = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        with gateway_of(admin) as url:
            given = {"REDIS_URL": redis_url, "PUBLIC_URL": url, "API_KEY": key}
            ran = subprocess.run(
                [sys.executable, "-W", "error", "-c", BACKGROUND + example],
                env=clean | {PREFIX + name: value for name, value in given.items()},
                capture_output=True,
                text=True,
                check=False,
            )

    assert ran.returncode == 0, f"{name}: {ran.stderr}"
    assert "ready" in ran.stdout or "print" not in example
