"""All settings, from the environment (prefix `CERTMAIL_`).

Start at `Settings` in model.py, whose parts are modules by subject; wrong_values.py says
what is wrong with one. Nothing below an entry point reads the environment.
"""

from certmail_config.settings.delivery import SETTLE_SECONDS
from certmail_config.settings.environment import FROM_FILES, file_variable, proxies_of_others
from certmail_config.settings.model import Settings, unknown_names
from certmail_config.settings.section import MIN_PASSWORD, PREFIX
from certmail_config.settings.stores import default_data_dir, parse_vault_key

__all__ = [
    "FROM_FILES",
    "MIN_PASSWORD",
    "PREFIX",
    "SETTLE_SECONDS",
    "Settings",
    "default_data_dir",
    "file_variable",
    "parse_vault_key",
    "proxies_of_others",
    "unknown_names",
]
