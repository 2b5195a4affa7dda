"""The worker: delivers reminders through Gmail, records what became of them, and is run from the command line."""
