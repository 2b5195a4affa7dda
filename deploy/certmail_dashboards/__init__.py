"""Grafana's dashboards, declared here and written as JSON to deploy/monitoring/dashboards: start at `__main__`.

A tool of whoever changes them (`make dashboards`); nothing that runs imports it.
"""
