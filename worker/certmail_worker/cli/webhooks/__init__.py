"""`certmail webhooks`: who is told what becomes of reminders."""
