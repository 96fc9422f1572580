"""Tests of the package `connect`."""
