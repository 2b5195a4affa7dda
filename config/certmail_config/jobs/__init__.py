"""The job: one reminder to one reviewer, and the states that it passes.

Start at `Reminder` in reminder.py, then the table in states.py. Pure, and kept compatible between
versions (contract.py).
"""
