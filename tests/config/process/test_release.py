"""Version and revision have one place."""

from __future__ import annotations

from importlib.metadata import version

from certmail_config.process.release import Release, release


def test_the_version_is_the_distributions_and_the_revision_what_was_said() -> None:
    assert release("abc1234") == Release(version("certmail"), "abc1234")
    assert str(release("abc1234")) == f"{version('certmail')} (abc1234)"


def test_nobody_has_to_say_a_revision() -> None:
    assert str(Release("1.0")) == "1.0"
    assert release(None).version == version("certmail")
