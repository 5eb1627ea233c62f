"""What `report` and the pages show: the store's records, judged by the analysis."""
