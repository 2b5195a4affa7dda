"""The record in the console: the list of deliveries, one reminder's story, files to take away.

list_page.py and story_page.py have the handlers; words.py says what states and events are called.
"""
