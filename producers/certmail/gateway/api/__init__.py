"""The HTTP API for upstream applications: its routes, handlers, models and OpenAPI document.

Start with `routes`, the table of all requests; `application` puts them into the gateway.
"""
