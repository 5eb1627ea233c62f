"""One sweep driven over Ray Tune."""
