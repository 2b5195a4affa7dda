"""The language of a mail: texts, dates, zones, directions and typography of each locale.

Start at `catalogue` for texts and at `moments` for times. Pure; the facts are CLDR's.
"""
