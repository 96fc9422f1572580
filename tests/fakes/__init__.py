"""Fakes of the contracts: an engine in memory, a prober with given answers, a small catalogue."""
