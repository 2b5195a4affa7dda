"""What is asked about right now: a lane, a job, what it waits for, a service that stands still.

Reads Redis, and of what is uncertain SQL; changes nothing. Start at job_lookup.py.
"""
