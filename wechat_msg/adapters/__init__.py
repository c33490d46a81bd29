"""Adapters between an endpoint and a web framework, one module for each framework."""
