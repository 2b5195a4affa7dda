"""Taking reminders in: what producers and the planner of campaigns do before the ledger has one.

Start with `preparing`: a reminder is checked against its tenant, which `known_tenants` looks up,
and sealed; `intake_guard` sees to it that the server has room.
"""
