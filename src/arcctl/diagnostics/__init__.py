"""Finds what is wrong with a machine, an engine or a project: doctor, support, top."""
