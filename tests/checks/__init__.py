"""Tests of the package `checks`."""
