"""One child process that owns the model: commands in, events out."""
