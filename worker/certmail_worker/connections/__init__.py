"""What a worker does for a connection: probing it, ending its access, removing it.

And erasing whom its reminders were about. answer_request.py, where to start, answers what the
gateway asks; `probe` makes the checklist.
"""
