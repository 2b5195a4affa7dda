"""Monitoring: what is told of a deployment at `/metrics`, and the listener that tells it.

`page` puts it together: what a process counted itself, what Redis says at once (`ledger_figures`),
and what the keeper counts now and then (`samples`). Scraping costs the same however much waits.
"""
