"""The console: pages on which operators and invited administrators connect mailboxes.

Start with `routes`, the map of the pages, and `access_control`, which says who may see them.
Sentences stand in `templates`, those for states and remedies in `texts`.
"""
