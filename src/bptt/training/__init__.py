"""Training: data, optimizers, the loop, checkpoints.  It takes a step function and knows no model."""
