"""Messages: how they arrive, where they are kept, how Gmail shows them, and what bounces.

Nothing here knows of tokens or quotas. Start reading at `mailstore`, which holds them.
"""
