"""Many runs: the driver over Ray Tune, and the recorder that joins training to the store. Only here is Ray imported."""
