"""The API's OpenAPI document, and the page that shows it to people.

Start with `openapi`; both are made from the routes, never written by hand.
"""
