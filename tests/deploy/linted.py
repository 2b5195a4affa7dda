"""Dockerfile, compose files, scripts and YAML, each read by the tool that knows its kind.

`make charts`, which installs the tools into `.deploy`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
TOOLS: Final = ROOT / ".deploy" / "tools" / "bin"
COMPOSE: Final = ("compose.yaml", "oauth.yaml", "operators.yaml")


def clean(tool: str, *arguments: str) -> None:
    done = subprocess.run([str(TOOLS / tool), *arguments], capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, done.stdout), done.stdout + done.stderr  # fmt: skip


def test_hadolint_has_nothing_to_say() -> None:
    clean("hadolint", "--failure-threshold=style", str(DEPLOY / "image" / "Dockerfile"))


@pytest.mark.parametrize("file", COMPOSE)
def test_compose_takes_it(file: str) -> None:
    clean("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose" / file))  # fmt: skip


def test_compose_would_refuse_what_it_does_not_know(tmp_path: Path) -> None:
    wrong = (DEPLOY / "compose" / "compose.yaml").read_text("utf-8").replace("read_only", "readonly")  # fmt: skip
    (tmp_path / "compose.yaml").write_text(wrong, "utf-8")
    with pytest.raises(AssertionError):
        clean("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(tmp_path / "compose.yaml"))  # fmt: skip


def test_yaml_is_written_in_one_way() -> None:
    files = [*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")]
    given = [str(each) for each in files if "templates" not in each.parts]
    assert len(given) > 8
    clean("yamllint", "--strict", f"--config-file={DEPLOY / 'yamllint.yaml'}", *given)


def test_shellcheck_has_nothing_to_say() -> None:
    scripts = [*DEPLOY.rglob("*.sh"), DEPLOY / "systemd" / "certmail-admin"]
    assert len(scripts) > 3
    clean("shellcheck", "--severity=style", *(str(each) for each in scripts))
