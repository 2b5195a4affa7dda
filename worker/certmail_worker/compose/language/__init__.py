"""How a mail speaks: catalogues, dates, zones, directions and typography of each language.

Pure; facts are CLDR's.
"""
