"""The chat app: a Textual screen over the engine process, conversations and the library."""
