"""What every request of the API passes: who asks, within which bounds, as what, and how it is refused."""
