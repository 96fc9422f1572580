"""A stub of Grafana: enough to check its settings, its login and its data sources. It draws nothing."""
