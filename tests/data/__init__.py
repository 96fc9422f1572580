"""Tests of the package `data`."""
