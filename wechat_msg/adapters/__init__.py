"""Converters between an endpoint and a web framework, one module each; import the one you need."""
