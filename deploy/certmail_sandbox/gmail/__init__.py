"""Gmail's API: the checks before a method, and the methods."""
