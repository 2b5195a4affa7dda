"""The HTTP API for upstream applications: routes.py lists what there is; `mount` puts it into the gateway."""
