"""Tests of the package `engines`."""
