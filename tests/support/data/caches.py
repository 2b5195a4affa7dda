"""All that composing remembers anything in."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import certmail_config.compose


def caches() -> Iterator[tuple[str, Any]]:
    """Each cache, by its module and name."""
    package = certmail_config.compose
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        for name, each in vars(import_module(module.name)).items():
            if hasattr(each, "cache_parameters") and each.__module__ == module.name:
                yield f"{module.name.rpartition('.')[2]}.{name}", each


def forget_all() -> None:
    """As in a process that has just begun."""
    for _, each in caches():
        each.cache_clear()


def forget_letters() -> None:
    """Whatever letters have left behind; not what files and CLDR say."""
    for _, each in caches():
        if each.cache_parameters()["maxsize"] is not None:
            each.cache_clear()
