"""The logit lens: which tokens a direction in the residual stream speaks for, read straight off a model's file."""
