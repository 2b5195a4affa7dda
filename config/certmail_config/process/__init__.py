"""What a process is to whoever runs it: which release it is, and what it tells systemd.

Knows nothing of reminders. Start at release.py.
"""
