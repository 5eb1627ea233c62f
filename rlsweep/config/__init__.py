"""What the user wrote: agent configs, training configs, and the plan of trials they make; light to import."""
