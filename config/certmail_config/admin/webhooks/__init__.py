"""The administration of webhooks: which there are (`endpoints`), and how they run (`running`).

For command line, API and console alike. Each step is on record with whoever took it (`acts`).
"""
