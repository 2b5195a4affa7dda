"""What every part stands on: errors, ids, Redis key names, dates and texts in their one form.

Nothing here knows of tenants, mail or Google. Start at redis_keys.py, the map of what is in Redis.
"""
