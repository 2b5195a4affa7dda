"""Trying a connection out the way delivery will use it; each step on its own, with cause and remedy."""

from certmail_config.google.checklist import Step
from certmail_worker.connections.probe.checklist import Probed, Told, probe
from certmail_worker.connections.probe.promised import send_promised
from certmail_worker.connections.probe.saving import examine, probe_and_save, remember, save
from certmail_worker.connections.probe.steps import may_go_later, only_mail_missing

__all__ = [
    "Probed",
    "Step",
    "Told",
    "examine",
    "may_go_later",
    "only_mail_missing",
    "probe",
    "probe_and_save",
    "remember",
    "save",
    "send_promised",
]
