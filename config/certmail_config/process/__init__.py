"""What a process is to whoever runs it: its release, its own listener, what it tells systemd.

Knows nothing of reminders. Start at release.py.
"""
