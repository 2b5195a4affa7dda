"""What every part stands on: errors, ids, Redis key names, dates and texts in their one form.

Nothing here knows of tenants, mail or Google.
"""
