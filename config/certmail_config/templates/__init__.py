"""What a tenant writes in its mails itself: words by block, in a small language, and its brand.

Pure: nothing here reads a store. `language` is the language; `blocks` says what can be written,
`documents` what a tenant publishes, `checks` what is wrong with it, `base` what certmail's own
words are.
"""
