"""Probing a connection the way delivery will use it: a checklist.

Each step stands on its own, with cause and remedy. checklist.py, where to start, goes through the
steps; saving.py acts on what was found.
"""

from certmail_config.google.checklist import Step
from certmail_worker.connections.probe.checklist import OnSteps, Probed, probe
from certmail_worker.connections.probe.promised import send_promised
from certmail_worker.connections.probe.saving import examine, probe_and_save, remember, save
from certmail_worker.connections.probe.steps import may_go_later, only_mail_missing

__all__ = [
    "OnSteps",
    "Probed",
    "Step",
    "examine",
    "may_go_later",
    "only_mail_missing",
    "probe",
    "probe_and_save",
    "remember",
    "save",
    "send_promised",
]
