"""Tests of the package `lifecycle`."""
