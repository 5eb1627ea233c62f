"""Where a sweep is driven: this process, the service, or a cluster's job; one interface, following included."""
