"""Packaged settings and schemas: data, read through `speeddata.settings`."""
