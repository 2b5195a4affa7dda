"""What a worker does for a connection: probing it, giving its grant back, removing it, erasing whom it was about.

`probe` makes the checklist.
"""
