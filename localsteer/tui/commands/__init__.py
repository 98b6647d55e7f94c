"""What the commands of the chat screen do, a class for each group; the screen is made of them."""
