"""What waits while a connection is set up: consents, requests to a worker, promised mails.

All of it waits in Redis, sealed, and ends by itself. Start at consents.py for a linked account, at
google_steps.py for a customer owned application.
"""
