"""Models and opaque worlds as Gymnasium environments."""
