"""The console's pages and forms, one module for each; routes.py is the map."""
