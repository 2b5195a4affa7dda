"""Settling by hand what became of reminders whose answer was lost."""
