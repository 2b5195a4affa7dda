"""Trying a connection out the way delivery will use it; each step on its own, with cause and remedy."""

from certmail_worker.probe.checklist import Probed, probe
from certmail_worker.probe.saving import probe_and_save, save
from certmail_worker.probe.steps import Step

__all__ = ["Probed", "Step", "probe", "probe_and_save", "save"]
