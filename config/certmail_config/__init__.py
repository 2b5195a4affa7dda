"""The base that producers and the worker share: settings, job contract, states, ledger, connections, SQL record."""
